"""Reads what a stopped Penstock left in its archive, with the tools that users have."""
import re

import duckdb
import pyarrow.parquet

FILE_NAME = re.compile(r"(?P<topic>.+)-(?P<partition>\d+)-(?P<first>\d+)-(?P<last>\d+)\.parquet")


def files_of(data_dir, topic):
    """{partition: [(first offset, last offset, path)]} in order."""
    found = {}
    for path in (data_dir / "archive" / f"topic={topic}").rglob("*.parquet"):
        name = FILE_NAME.fullmatch(path.name)
        assert name and name["topic"] == topic, f"{path} is not named as it should be"
        found.setdefault(int(name["partition"]), []).append(
            (int(name["first"]), int(name["last"]), path))
    return {partition: sorted(files) for partition, files in found.items()}


def check_ranges(data_dir, topic, ends):
    """Problems of the offset ranges in file names: every offset from 0 to `ends` exactly once."""
    problems = []
    files = files_of(data_dir, topic)
    for partition, end in ends.items():
        next_offset = 0
        for first, last, path in files.get(partition, []):
            if first != next_offset:
                kind = "overlap" if first < next_offset else "gap"
                problems.append(f"{topic}-{partition}: {kind} before {path.name}, expected {next_offset}")
            next_offset = last + 1
        if next_offset != end:
            problems.append(f"{topic}-{partition}: the archive ends at {next_offset}, the log at {end}")
    return problems


def rows(data_dir, topic):
    """[(partition, offset, key, value)] in order, read by pyarrow file by file. Each file must hold
    exactly the offsets of its name. A value that is no text is bytes."""
    found = []
    for partition, files in sorted(files_of(data_dir, topic).items()):
        for first, last, path in files:
            # One file, not a data set: the folders are not columns of it.
            table = pyarrow.parquet.ParquetFile(path).read(
                ["partition", "offset", "key", "value", "value_bytes"])
            offsets = table["offset"].to_pylist()
            assert offsets == list(range(first, last + 1)), f"{path.name} holds other offsets"
            assert set(table["partition"].to_pylist()) == {partition}
            values = [text if raw is None else raw for text, raw in
                      zip(table["value"].to_pylist(), table["value_bytes"].to_pylist())]
            found += zip(table["partition"].to_pylist(), offsets, table["key"].to_pylist(), values)
    return found


def duckdb_of(data_dir, topic):
    """A DuckDB connection with the topic's archive as the view `archive`, its folders as columns."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"CREATE VIEW archive AS SELECT * FROM read_parquet("
        f"'{data_dir}/archive/topic={topic}/**/*.parquet', hive_partitioning = true)")
    return connection
