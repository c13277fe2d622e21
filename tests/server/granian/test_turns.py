import threading

from carboy.server.granian.turns import Turns


def test_no_more_jobs_are_under_way_than_there_are_places_and_none_is_lost():
    lock, done, most = threading.Lock(), [], [0, 0]
    enough = threading.Event()

    def work(job):
        with lock:
            most[0] += 1
            most[1] = max(most)
        threading.Event().wait(0.0005)
        with lock:
            most[0] -= 1
            done.append(job)
            if len(done) == 400:
                enough.set()

    turns = Turns(3, work)
    threads = [
        threading.Thread(target=lambda part=part: [turns.take((part, n)) for n in range(50)])
        for part in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert enough.wait(30)
    assert sorted(done) == [(part, n) for part in range(8) for n in range(50)]
    assert most[1] == 3


def test_who_finds_no_place_goes_back_at_once():
    entered, go_on, done = threading.Event(), threading.Event(), []

    def work(job):
        entered.set()
        if job == "first":
            go_on.wait(30)
        done.append(job)

    turns = Turns(1, work)
    first = threading.Thread(target=turns.take, args=("first",))
    first.start()
    entered.wait(30)
    turns.take("second")
    assert done == []
    go_on.set()
    first.join(30)
    assert done == ["first", "second"]
