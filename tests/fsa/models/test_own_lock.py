"""A lock of one object."""

import copy
import pickle
from threading import Thread

from fsa.models.own_lock import OwnLock


def is_free_for_another_thread(lock: OwnLock) -> bool:
    taken: list[bool] = []

    def attempt() -> None:
        taken.append(lock._lock.acquire(blocking=False))
        if taken[0]:
            lock._lock.release()

    thread = Thread(target=attempt)
    thread.start()
    thread.join()
    return taken[0]


def test_it_keeps_other_threads_out_until_the_last_exit():
    lock = OwnLock()
    with lock:
        with lock:
            assert not is_free_for_another_thread(lock)
        assert not is_free_for_another_thread(lock)
    assert is_free_for_another_thread(lock)


def test_copies_and_what_is_unpickled_have_locks_of_their_own():
    lock = OwnLock()
    with lock:
        others = [copy.copy(lock), copy.deepcopy(lock), pickle.loads(pickle.dumps(lock))]
        assert all(is_free_for_another_thread(other) for other in others)
