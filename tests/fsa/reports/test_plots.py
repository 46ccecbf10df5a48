import pytest
from PIL import Image

from fsa.reports.plots import COLOURS, by_choices, legend, panels_of, save

SHAPES = {1: (1, 1), 3: (1, 3), 4: (1, 4), 5: (2, 3), 7: (2, 4)}


@pytest.mark.parametrize(("count", "shape"), SHAPES.items())
def test_panels_stand_beside_and_below_each_other(count, shape):
    figure, panels = panels_of(count, "accuracy")
    assert len(panels) == count
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == shape
    assert [panel.get_ylabel() for panel in panels] == [
        "accuracy" if number % shape[1] == 0 else "" for number in range(count)
    ]
    assert sum(not axes.get_visible() for axes in figure.axes) == shape[0] * shape[1] - count


def test_choices_stand_at_their_square_roots(tmp_path):
    figure, (panel,) = panels_of(1, "y")
    panel.plot([0, 3], [1, 2], label="line")
    by_choices(panel, "name", [0, 1, 9])
    legend(figure, [panel])
    assert panel.get_xticks().tolist() == [0, 1, 3]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["0", "1", "9"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["line"]
    save(figure, tmp_path / "new" / "a.png")
    picture = Image.open(tmp_path / "new" / "a.png")
    assert picture.mode == "P"  # few colours
    assert len(picture.getcolors(256)) <= 64


def test_no_two_colours_are_the_same():
    assert len(set(COLOURS)) == len(COLOURS) >= 8
