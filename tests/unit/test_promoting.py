"""A rule on trial becomes one that is enforced, and nothing else in the file moves."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from bot import promoting
from bot.promoting import Unclear, enforced


def file(rules: str) -> str:
    return f'# 上海\nlanguage = "zh-CN"   # kept\n\n{rules}\n[tickets]\nskip_verify = true\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '[[rule]]\nid = "a"\nmode = "shadow"  # 先看两周\nthen = "deny"\n',
            '[[rule]]\nid = "a"\nmode = "enforce"  # 先看两周\nthen = "deny"\n',
        ),
        (
            "[[rule]]\n'id' = 'a'\n\t\"mode\"='shadow'\n",
            "[[rule]]\n'id' = 'a'\n\t\"mode\"='enforce'\n",
        ),
        (
            '[[rule]]\nid = "b"\nmode = "shadow"\n[[rule]]\nmode = "shadow"\nid = "a"\n',
            '[[rule]]\nid = "b"\nmode = "shadow"\n[[rule]]\nmode = "enforce"\nid = "a"\n',
        ),
        (
            '[[rule]]\r\nid = "a"\r\nmode = "shadow"\r\n',
            '[[rule]]\r\nid = "a"\r\nmode = "enforce"\r\n',
        ),
        (
            'rule = [{ id = "a", mode = "shadow", say = "mode = \\"shadow\\"" }]\n',
            'rule = [{ id = "a", mode = "enforce", say = "mode = \\"shadow\\"" }]\n',
        ),
        (
            '[[rule]]\n  id = "a"  # no mode of its own\n  then = "deny"\n',
            '[[rule]]\n  mode = "enforce"\n  id = "a"  # no mode of its own\n  then = "deny"\n',
        ),
        (
            '[[rule]]\r\nid = "a"\r\n',
            '[[rule]]\r\nmode = "enforce"\r\nid = "a"\r\n',
        ),
        (
            'rule = [{ say = "竞品", id = "a" }]\n',
            'rule = [{ say = "竞品", mode = "enforce", id = "a" }]\n',
        ),
    ],
)
def test_only_the_mode_of_that_rule_is_changed(before: str, after: str) -> None:
    assert enforced(file(before), "a") == file(after)


@pytest.mark.parametrize(
    "rules",
    [
        '[[rule]]\nid = "a"\nmode = """shadow"""\n',
        '[[rule]]\nid = "a"\nmode = "\\u0073hadow"\n',
        # a sign that some take for the end of a line, so that columns are counted in another one
        '# \u2028\n# 一二三四五六\nrule = [{ say = "竞品", id = "a" }]\n',
    ],
)
def test_what_only_a_person_should_edit_is_left_alone(rules: str) -> None:
    text = file(rules)
    assert tomllib.loads(text)["rule"][0]["id"] == "a"

    with pytest.raises(Unclear):
        enforced(text, "a")


def test_a_file_is_overwritten_with_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old", "utf-8")
    path.chmod(0o640)

    promoting.overwrite(path, "新\r\n")

    assert path.read_bytes() == "新\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    there, link = tmp_path / "there.toml", tmp_path / "config.toml"
    there.write_text("old", "utf-8")
    link.symlink_to(there)

    promoting.overwrite(link, "new")

    assert (link.is_symlink(), there.read_text("utf-8")) == (True, "new")


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "config.toml"
    folder.mkdir()

    with pytest.raises(OSError, match="config"):
        promoting.overwrite(folder, "new")

    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]
