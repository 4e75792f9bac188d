"""What a program built with sanitizers has to say, collected where no test can overlook it.

A report goes into a file of its own, so that it is found even if the program was killed later or nobody
looked at its exit code. Programs without sanitizers ignore all of this.
"""
EXIT_CODE = 99


def options(folder):
    """The environment in which reports are written into `folder`."""
    def common(name):  # two runtimes of one program would overwrite each other's file
        return f"halt_on_error=1:exitcode={EXIT_CODE}:log_path={folder}/{name}"

    return {"ASAN_OPTIONS": common("address") + ":detect_leaks=1:strict_string_checks=1"
                                                ":detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": common("undefined") + ":print_stacktrace=1",
            "TSAN_OPTIONS": common("thread")}


def reports(folder):
    """What has been reported since the last call."""
    found = []
    for path in sorted(folder.glob("*.*")):
        found.append(path.read_text(errors="replace"))
        path.unlink()
    return found
