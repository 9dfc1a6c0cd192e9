"""Titles as people say them; the source's own are kept."""

from __future__ import annotations

import dataclasses

import pytest

from mfcore.data import Interactions, load_dataset, make_item_table
from mfcore.data.titles import spoken_title

SAID = {
    "Saint, The (1997)": "The Saint (1997)",
    "Clockwork Orange, A (1971)": "A Clockwork Orange (1971)",
    "American Werewolf in London, An (1981)": "An American Werewolf in London (1981)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)": (
        "The City of Lost Children (La Cité des enfants perdus) (1995)"
    ),
    "Double vie de Véronique, La (Double Life of Veronique, The) (1991)": (
        "La Double vie de Véronique (The Double Life of Veronique) (1991)"
    ),
    "Misérables, Les (1995)": "Les Misérables (1995)",
    "Enfer, L' (1994)": "L'Enfer (1994)",
    "Eye of Vichy, The (Oeil de Vichy, L') (1993)": "The Eye of Vichy (L'Oeil de Vichy) (1993)",
    "Boot, Das (1981)": "Das Boot (1981)",
    "Bewegte Mann, Der (1994)": "Der Bewegte Mann (1994)",
    "Tin Drum, The (Blechtrommel, Die) (1979)": "The Tin Drum (Die Blechtrommel) (1979)",
    "Postino, Il (1994)": "Il Postino (1994)",
    "Mariachi, El (1992)": "El Mariachi (1992)",
    "Convent, The (Convento, O) (1995)": "The Convent (O Convento) (1995)",
    "Seventh Seal, The (Sjunde inseglet, Det) (1957)": "The Seventh Seal (Det Sjunde inseglet) (1957)",
    "Good, The Bad and The Ugly, The (1966)": "The Good, The Bad and The Ugly (1966)",
    "Saint, The": "The Saint",
}
UNTOUCHED = (
    "Star Wars (1977)",
    "Paris, Texas (1984)",
    "Corrina, Corrina (1994)",
    "Kiss Me, Guido (1997)",
    "Bye Bye, Love (1995)",
    "I, Worst of All (Yo, la peor de todas) (1990)",
    "Mrs. Brown (Her Majesty, Mrs. Brown) (1997)",
    "Seven (Se7en) (1995)",
    "Land Before Time III: The Time of the Great Giving (1995) (V)",
    "Twelve (Brackets (within, The) brackets) (1995)",
    "The Saint (1997)",
    "unknown",
    "",
    "(1997)",
    "The",
)


@pytest.mark.parametrize(("written", "said"), SAID.items())
def test_the_article_goes_in_front(written: str, said: str) -> None:
    assert spoken_title(written) == said
    assert spoken_title(said) == said  # once is enough


@pytest.mark.parametrize("title", UNTOUCHED)
def test_what_is_not_written_so_stays(title: str) -> None:
    assert spoken_title(title) == title


def test_movielens_is_said_and_kept_as_written(ml_100k: Interactions) -> None:
    said, written = ml_100k.item_titles(), ml_100k.item_table["title"].tolist()
    place = written.index("Saint, The (1997)")
    assert said[place] == "The Saint (1997)"
    assert ml_100k.item_titles([place]) == ["The Saint (1997)"]
    assert sum(a != b for a, b in zip(said, written, strict=True)) > 350
    assert not [title for title in said if ", The (" in title or title.endswith(", The")]


def test_other_data_is_not_rewritten() -> None:
    data = load_dataset("planted", num_users=10, num_items=5, density=1.0)
    data = dataclasses.replace(data, item_table=make_item_table(["Saint, The"] * 5))
    assert data.item_titles([0]) == ["Saint, The"]
