"""The audit finds what it is for: each test doctors books that agree and expects exactly that to be said."""
import copy

import pytest

from ledger import Ledger, audit


@pytest.fixture
def books():
    """(requests, log) that agree: two writers, three acknowledged requests, an unknown one that arrived
    and one that did not."""
    ledger = Ledger()
    for writer, first, last in [("a", 0, 3), ("b", 0, 1), ("a", 4, 5)]:
        ledger.acknowledged(ledger.sending("t", writer, first, last))
    ledger.sending("t", "a", 6, 7)
    ledger.sending("t", "b", 2, 3)
    log = {0: [("a", 0), ("b", 0), ("a", 2), ("a", 4), ("a", 6)],
           1: [("a", 1), ("b", 1), ("a", 3), ("a", 5), ("a", 7)]}
    return ledger.requests, log


def problems_of(books, doctor):
    requests, log = copy.deepcopy(books)
    doctor(requests, log)
    return audit(requests, "t", log)


def test_books_that_agree_have_no_problems(books):
    assert audit(*[books[0], "t", books[1]]) == []


def test_a_lost_event_is_found(books):
    assert problems_of(books, lambda requests, log: log[1].remove(("a", 3))) == [
        "t: 1 events of the acknowledged request a:0-3 are lost"]


def test_a_lost_request_is_found(books):
    assert problems_of(books, lambda requests, log: requests.append(["t", "b", 4, 9, "acknowledged"])) == [
        "t: 6 events of the acknowledged request b:4-9 are lost"]


def test_a_duplicate_is_found(books):
    problems = problems_of(books, lambda requests, log: log[0].append(("a", 6)))

    assert "t: event ('a', 6) is there 2 times" in problems


def test_a_duplicate_in_another_partition_is_found(books):
    assert problems_of(books, lambda requests, log: log.update({2: [("a", 6)]})) == [
        "t: event ('a', 6) is there 2 times"]


def test_a_torn_request_is_found(books):
    assert problems_of(books, lambda requests, log: log[1].remove(("a", 7))) == [
        "t: request a:6-7 is there in part: 1 of 2 events"]


def test_a_broken_order_is_found(books):
    def swap(_, log):
        log[0][0], log[0][2] = log[0][2], log[0][0]

    assert problems_of(books, swap) == ["t-0: event (a, 0) is behind number 2 of its writer"]


def test_an_event_from_nowhere_is_found(books):
    assert problems_of(books, lambda requests, log: log[0].append(("c", 0))) == [
        "t: event ('c', 0) was never sent"]


def test_a_refused_request_that_arrived_is_found(books):
    def refuse(requests, _):
        requests[1][4] = "refused"

    assert problems_of(books, refuse) == ["t: 2 events of the refused request b:0-1 are there"]
