"""The queries of Nexmark as SQL of PostgreSQL, each a column of text: what `nexmark results` writes to its files.

Money and times are numbers: cents, and milliseconds since the epoch."""

TABLES = """
create table people (id bigint, name text, email text, credit_card text, city text, state text, time bigint,
                     extra text);
create table auctions (id bigint primary key, item_name text, description text, initial_bid bigint, reserve bigint,
                       time bigint, expires bigint, seller bigint, category bigint, extra text);
create table bids (number bigint, auction bigint, bidder bigint, price bigint, channel text, url text, time bigint,
                   extra text);
"""

AUCTION_BID = """concat_ws('|', a.id, a.item_name, a.category, a.seller, a.time, a.expires, b.number, b.bidder, b.price,
                           b.time)"""

WINNERS = """select distinct on (a.id) a.id, a.category, b.price, {row} as row
             from auctions a join bids b on a.id = b.auction and b.time between a.time and a.expires
             order by a.id, b.price desc, b.time, b.number""".format(row=AUCTION_BID)


def ranked(counted):
    """A number of all and by rank of the price."""
    return ", ".join(f"count({counted}) filter (where {rank})"
                     for rank in ("true", "price < 10000", "price >= 10000 and price < 1000000", "price >= 1000000"))


def figures(channel, group):
    return f"""select concat_ws('|', time / 86400000, {channel}, max(time), {ranked("*")}, {ranked("distinct bidder")},
                                {ranked("distinct auction")})
               from bids group by time / 86400000{group}"""


QUERIES = {
    "q0": "select concat_ws('|', auction, bidder, price, time, extra) from bids",
    "q1": "select concat_ws('|', auction, bidder, price * 908, time, extra) from bids",
    "q2": "select concat_ws('|', auction, price) from bids where auction % 123 = 0",
    "q3": """select concat_ws('|', p.name, p.city, p.state, a.id) from auctions a join people p on a.seller = p.id
             where a.category = 10 and p.state in ('OR', 'ID', 'CA')""",
    "q4": f"""select concat_ws('|', category, sum(price)::bigint / count(*)) from ({WINNERS}) w group by category""",
    "q5": """with hops as (
               select auction, start, count(*) as count
               from bids, generate_series(time / 2000 * 2000 - 8000, time / 2000 * 2000, 2000) start
               group by auction, start),
             most as (select start, max(count) as count from hops group by start)
             select concat_ws('|', start, count, string_agg(auction::text, ',' order by auction))
             from hops join most using (start, count) group by start, count""",
    "q7": """with most as (select time / 10000 * 10000 as start, max(price) as price from bids group by 1)
             select concat_ws('|', start, string_agg(concat_ws('|', number, auction, bidder, b.price), ','
                                                     order by number))
             from bids b join most m on b.time / 10000 * 10000 = m.start and b.price = m.price group by start""",
    "q8": """select concat_ws('|', id, name, start)
             from (select id, name, time / 10000 * 10000 as start from people) p
             join (select distinct seller, time / 10000 * 10000 as start from auctions) a
             using (start) where id = seller""",
    "q9": f"select row from ({WINNERS}) w",
    "q11": """with gaps as (
                select bidder, time, case when time - lag(time) over bids_of > 10000 then 1 else 0 end as is_new
                from bids window bids_of as (partition by bidder order by time, number)),
              sessions as (select bidder, time, sum(is_new) over (partition by bidder order by time) as session
                           from gaps)
              select concat_ws('|', bidder, count(*), min(time), max(time) + 10000)
              from sessions group by bidder, session""",
    "q12": """with windows as (
                select bidder, (select min(time) from people) / 10000 * 10000 + number / 10000 * 10000 as start
                from bids)
              select concat_ws('|', bidder, count(*), start, start + 10000) from windows group by bidder, start""",
    "q13": "select concat_ws('|', auction, bidder, price, time, 'page ' || auction % 10000) from bids",
    "q14": """select concat_ws('|', auction, bidder, price * 908,
                               case when hour between 8 and 18 then 'dayTime'
                                    when hour <= 6 or hour >= 20 then 'nightTime' else 'otherTime' end,
                               time, extra, length(extra) - length(replace(extra, 'c', '')))
              from (select *, time / 3600000 % 24 as hour from bids) b
              where price * 908 > 1000000000 and price * 908 < 50000000000""",
    "q15": figures("''", ""),
    "q16": figures("channel", ", channel"),
    "q17": f"""select concat_ws('|', auction, time / 86400000, {ranked("*")}, min(price), max(price), sum(price))
               from bids group by auction, time / 86400000""",
    "q18": """select distinct on (bidder, auction)
                     concat_ws('|', number, auction, bidder, price, channel, url, time, extra)
              from bids order by bidder, auction, number desc""",
    "q19": """select concat_ws('|', auction, string_agg(concat_ws('|', number, bidder, price), ','
                                                        order by price desc, number))
              from (select *, row_number() over (partition by auction order by price desc, number) as place
                    from bids) b
              where place <= 10 group by auction""",
    "q20": f"select {AUCTION_BID} from bids b join auctions a on a.id = b.auction where a.category = 10",
    "q22": """select concat_ws('|', auction, bidder, price, channel, split_part(url, '/', 4), split_part(url, '/', 5),
                               split_part(url, '/', 6)) from bids""",
}
