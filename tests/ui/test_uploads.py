"""Files that people drop stay where they belong, and no path of theirs leads elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mfcore.errors import UnusableRequest
from ui.data.bring import name_of
from ui.data.uploads import FOLDER_VARIABLE, allowed_folder, kept, on_server


class Dropped(io.BytesIO):
    """As much of an uploaded file as is asked for."""

    def __init__(self, name: str, content: bytes, file_id: str = "4f-2a") -> None:
        super().__init__(content)
        self.name, self.file_id, self.size = name, file_id, len(content)


@pytest.mark.parametrize("name", ["ratings.csv", "../../evil.csv", "/etc/passwd", "..", "a\0b.csv", "é" * 300, ".hidden", ""])
def test_a_dropped_file_lies_in_its_own_folder_whatever_it_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    (path,) = kept([Dropped(name, b"user,item\n1,2\n", "../4f/2a")])
    assert path.resolve().parent.parent == (tmp_path / "uploads").resolve()
    assert path.read_bytes() == b"user,item\n1,2\n"
    assert not path.name.startswith(".")
    assert kept([Dropped(name, b"user,item\n1,2\n", "../4f/2a")]) == [path]


def test_paths_of_the_server_need_a_folder_that_its_keeper_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert allowed_folder() is None
    with pytest.raises(UnusableRequest, match="no files of this server may be named"):
        on_server("ratings.csv")
    inside, outside = tmp_path / "data", tmp_path / "secret.csv"
    inside.mkdir()
    outside.write_text("x")
    (inside / "ratings.csv").write_text("x")
    (inside / "link.csv").symlink_to(outside)
    monkeypatch.setenv(FOLDER_VARIABLE, str(inside))
    assert on_server("ratings.csv") == (inside / "ratings.csv").resolve()
    for path in ("../secret.csv", str(outside), "link.csv"):
        with pytest.raises(UnusableRequest, match="outside the folder that is allowed"):
            on_server(path)
    with pytest.raises(UnusableRequest, match=r"there is no other\.csv"):
        on_server("other.csv")


@pytest.mark.parametrize(
    ("title", "name"),
    [("Meine Bücher (2024)", "meine-bucher-2024"), ("my films", "my-films"), ("日本語", "data"), ("-", "data")],
)
def test_a_title_gives_a_name_for_flags_and_folders(title: str, name: str) -> None:
    assert name_of(title) == name
