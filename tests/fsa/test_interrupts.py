import os
import signal
import threading

import pytest

from fsa.interrupts import Interrupted, finishing_steps, interrupt_asked, signals_interrupt


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_a_signal_ends_work_with_the_shells_exit_code(number, code, said):
    with pytest.raises(Interrupted) as caught, signals_interrupt():
        send(number)
    assert (caught.value.exit_code, str(caught.value)) == (code, f"ended by {said}")
    assert not isinstance(caught.value, Exception)  # nothing takes it for a fault


def test_a_first_signal_waits_for_the_step_and_a_second_does_not():
    seen = []

    def work() -> None:
        with signals_interrupt(), finishing_steps():
            send(signal.SIGTERM)
            seen.append(interrupt_asked())
            send(signal.SIGTERM)

    with pytest.raises(Interrupted):
        work()
    assert seen == [signal.SIGTERM]


def test_work_that_comes_after_was_not_asked_to_end():
    with pytest.raises(Interrupted), signals_interrupt():
        send(signal.SIGTERM)
    assert interrupt_asked() is None


def test_handlers_are_what_they_were_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with signals_interrupt():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_set_no_handlers():
    seen = []

    def work() -> None:
        with signals_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_advice_stands_behind_what_happened():
    assert (
        str(Interrupted(signal.SIGINT, "go on with --resume RUN"))
        == "ended by Ctrl-C; go on with --resume RUN"
    )
