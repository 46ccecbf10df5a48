from itertools import islice

import numpy as np

from eval.bench.serve_models import choices_of, save_load
from fsa.serve.store.database import open_database
from fsa.serve.store.people import PeopleStore


def test_a_load_has_its_people_and_what_the_library_says_of_them(tmp_path):
    load = save_load(tmp_path / "numbers", "numbers", 3)
    bodies = list(islice(load.bodies(), 4))
    assert {body["user"] for body in bodies} <= {"p0", "p1", "p2"}
    rewards = load.expected(bodies)
    assert [len(each) for each in rewards] == [4] * 4
    assert all(np.isfinite(each).all() for each in rewards)
    engine = open_database(load.store)
    kept = PeopleStore(engine).choices(("default", "p1"))
    engine.dispose()
    assert len(kept) == len(choices_of("numbers", 1)) == 3


def test_a_person_chooses_the_same_each_time_and_texts_never_come_twice():
    assert choices_of("numbers", 1) == choices_of("numbers", 1) != choices_of("numbers", 2)
    (choice, *_) = choices_of("minilm", 1)
    assert len(choice["options"][0].split()) == 50
