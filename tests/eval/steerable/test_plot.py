import pandas as pd
from PIL import Image

from eval.steerable.plot import bars


def test_a_bar_a_method_and_set_is_drawn_and_nothing_sliced(tmp_path):
    columns = ["method", "group", "metric", "slice", "value", "low", "high"]
    rows = [[m, g, "accuracy", "", 0.6, 0.5, 0.7] for m in ("a", "b") for g in ("high", "low")]
    frame = pd.DataFrame(rows, columns=columns)
    bars(frame, tmp_path / "whole.png")
    other = pd.DataFrame([["a", "high", "accuracy", "kind = x", 0.1, 0.0, 0.2]], columns=columns)
    bars(pd.concat([frame, other]), tmp_path / "with_slice.png")
    assert (tmp_path / "whole.png").read_bytes() == (tmp_path / "with_slice.png").read_bytes()
    assert Image.open(tmp_path / "whole.png").size[0] > 300
    bars(frame[frame.method == "a"], tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "whole.png").read_bytes()
