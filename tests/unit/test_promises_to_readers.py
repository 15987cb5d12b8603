"""What the pages for readers say is so: commands, links, examples, named tests, what is missing."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bot import checking, cli, commands, hints, outgoing, settings, texts, verbs
from bot.command_types import Command
from bot.monitoring import Metrics
from bot.wecom import Kind, meaning
from workflows import (
    attributes,
    directory,
    facts,
    grants,
    model,
    policy,
    references,
    rulebook,
    sections,
)
from workflows.claims import Claim
from workflows.conditions import OPERATORS
from workflows.directory import Directory, Member
from workflows.facts import Counters
from workflows.model import Customer, Relation, RelationState
from workflows.plans import Granting

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")
OPERATIONS = "docs/operations.md"
RULES = "docs/rules.md"
PAGES = tuple(sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]))
MENWEI: Any = typer.main.get_command(cli.cli)
SECRETS = {
    "MENWEI_WECOM_SECRET": "secret",
    "MENWEI_WECOM_TOKEN": "token",
    "MENWEI_WECOM_AES_KEY": "A" * 43,
}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(text: str) -> str:
    return _BLOCK.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in _BLOCK.findall(text) if kind == language]


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .+$", prose(text), re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows but the rulers."""
    cells = [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(prose(text))]
    return [row for row in cells if set(row[0]) - {"-"}]


def chat_commands(text: str) -> list[tuple[str, str]]:
    """Return the Chinese and English command of each row of the table of chat commands."""
    start = text.index("| 中文 | English | ")
    table = text[start : text.index("\n\n", start)]
    return [(row[0].strip("`"), row[1].strip("`")) for row in rows(table)[1:]]


def code_lines(*, without: Iterable[str] = ()) -> str:
    """Return the program, without the simulator and without the modules that only read the file."""
    files = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("workflows/*.py")]
    wanted = (f for f in files if "simulator" not in f.parts and f.name not in without)
    return "\n".join(f.read_text("utf-8") for f in wanted)


ACTING = {"without": ("sections.py", "references.py", "rulebook.py")}


# Programs of others, whose lines are tried in tests/scenario or are everybody's.
OTHERS = {"chmod", "createdb", "docker", "pg_dump", "pg_restore", "systemctl"}


# --- commands


def found_command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the subcommand that words after `menwei` name, and what is left of them."""
    command, rest = MENWEI, list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"there is no `menwei {' '.join(words)}`"
        command = command.commands[name]
    return command, rest


def options(command: Any) -> set[str]:
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts)}


def all_options(command: Any) -> set[str]:
    inner = command.commands.values() if isinstance(command, TyperGroup) else ()
    return options(command).union(*map(all_options, inner))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))


def shell_lines() -> list[str]:
    scripts = [script for path in PAGES for script in blocks(path.read_text("utf-8"), "sh")]
    return sorted({line for script in scripts for line in script.splitlines()})


@pytest.mark.parametrize("line", shell_lines())
def test_what_a_page_tells_to_type_can_be_typed(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    program = next((word for word in words if word.endswith("/menwei")), None)
    if program is not None:
        command, rest = found_command(words[words.index(program) + 1 :])
        command.make_context("menwei", rest).close()
    elif words[:3] == ["docker", "compose", "exec"]:
        found_command(words[5:])  # after the service and `menwei`
    elif words[0] == "make":
        assert set(words[1:]) <= make_targets()
    elif words[0] in {"cp", "install"}:
        assert (ROOT / next(word for word in words[1:] if "/" in word)).exists()
    else:
        assert words[0] in OTHERS, "nothing here knows whether this works"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_and_option_a_page_mentions_exists(path: Path) -> None:
    text = prose(path.read_text("utf-8"))
    for span in _SPAN.findall(text):
        match span.split():
            case ["make", target]:
                assert target in make_targets()
            case ["menwei", *words]:
                command, rest = found_command(words)
                assert {word for word in rest if word.startswith("-")} <= options(command)
            case [option, *_] if option.startswith("--"):
                assert option in all_options(MENWEI)
            case _:
                pass


def test_every_subcommand_is_on_a_page() -> None:
    mentioned = "\n".join(path.read_text("utf-8") for path in PAGES)
    for name, command in MENWEI.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else [""]
        for each in inner:
            assert f"menwei {name} {each}".strip() in mentioned


@pytest.mark.parametrize("name", READMES)
def test_the_chat_commands_of_the_readme_are_those_the_bot_offers(name: str) -> None:
    kinds: list[type[Command]] = []
    for chinese, english in chat_commands(page(name)):
        kind = type(commands.parse(chinese))
        assert type(commands.parse(english)) is kind, (chinese, english)
        kinds.append(kind)
    assert kinds == [each.kind for each in verbs.VERBS]


@pytest.mark.parametrize("name", READMES)
def test_the_chat_commands_of_the_readme_are_said_as_the_help_says_them(name: str) -> None:
    for column, language in enumerate(texts.LANGUAGES):
        parts = hints.overview(texts.load(language), verbs.Audience)
        lines = (line for part in parts for line in part.splitlines())
        said = {line.partition(" — ")[0] for line in lines if " — " in line}
        assert {row[column] for row in chat_commands(page(name))} == said


# --- pages


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    for link in _LINK.findall(prose(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in {_slug(each) for each in headings(target.read_text("utf-8"))}, link


def _slug(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", heading.lstrip("# ").lower())
    return words.strip().replace(" ", "-")


@pytest.mark.parametrize("name", READMES)
def test_the_readme_shows_the_demo(name: str) -> None:
    shown = "docs/screenshots/demo.png"
    assert f"]({shown})" in page(name)
    assert (ROOT / shown).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", READMES)
def test_nothing_has_to_be_done_before_the_first_two_commands(name: str) -> None:
    assert blocks(page(name), "sh")[0] == "make demo\nmake test\n"
    assert page(name).index("```sh") < page(name).index("\n## ")


def test_both_readmes_have_the_same_parts() -> None:
    english, chinese = (page(name) for name in READMES)
    assert [h.count("#") for h in headings(english)] == [h.count("#") for h in headings(chinese)]
    for language in ("sh", ""):
        assert blocks(english, language) == blocks(chinese, language)
    examples = [list(map(tomllib.loads, blocks(text, "toml"))) for text in (english, chinese)]
    assert examples[0] == examples[1]
    assert [len(row) for row in rows(english)] == [len(row) for row in rows(chinese)]
    assert [r[:2] for r in rows(english)[:14]] == [r[:2] for r in rows(chinese)[:14]]
    assert english.count("\n- ") == chinese.count("\n- ")
    named = [sorted(re.findall(r"`(test_\w+)`", text)) for text in (english, chinese)]
    assert named[0] == named[1]


@pytest.mark.parametrize("name", READMES)
def test_every_test_the_readme_names_exists(name: str) -> None:
    tests = "\n".join(path.read_text("utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    existing = set(re.findall(r"def (test_\w+)\(", tests))
    named = set(re.findall(r"`(test_\w+)`", page(name)))
    assert len(named) >= 15
    assert named <= existing


@pytest.mark.parametrize("name", READMES)
def test_the_words_of_the_glossary_are_those_of_the_code(name: str) -> None:
    glossary = {row[1]: row[0] for row in rows(page(name))[-13:]}
    homes = (model, directory, sections, policy)
    for english, chinese in glossary.items():
        kinds = (english.title(), f"{english.title()}Record")
        assert any(hasattr(home, kind) for home in homes for kind in kinds), english
        assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert {"申请", "通行码", "结论", "审批链"} <= set(glossary.values())


# --- what is missing


def test_every_setting_of_chains_moves_something() -> None:
    code = code_lines(**ACTING)
    for setting in sections.ChainDefaults.model_fields:
        assert re.search(rf"\.{setting}\b", code), f"{setting}: say in the READMEs that it is idle"


def test_every_event_that_can_be_named_happens() -> None:
    code = code_lines(**ACTING)
    assert {event for event in references.EVENTS if f'"{event}"' in code} == set(references.EVENTS)
    for name in READMES:
        assert all(f"`{event}`" in page(name) for event in references.EVENTS)


# --- examples


def test_the_readmes_config_file_has_twenty_lines_and_is_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in READMES:
        (example,) = blocks(page(name), "toml")
        assert len([line for line in example.splitlines() if line]) <= 20
        settings.parse(example)


def test_the_secrets_of_the_operators_page_are_all_that_its_example_lacks() -> None:
    (example,) = blocks(page("README.md"), "toml")
    (section,) = blocks(page(OPERATIONS), "toml")
    with pytest.raises(settings.BadSettings) as bad:
        settings.parse(example.replace("wecom.", "# wecom.") + section)
    assert {mistake.code for mistake in bad.value.mistakes} == {"secret_file"}


RULE_EXAMPLES = blocks(page(RULES), "toml")


@pytest.mark.parametrize("number", range(len(RULE_EXAMPLES)))
def test_every_example_of_the_rules_page_loads_and_its_tests_pass(number: int) -> None:
    start, example = (tomllib.loads(RULE_EXAMPLES[each]) for each in (0, number))
    book, wrong = rulebook.read({**_over(start, example), "test": example.get("test", [])})
    assert [(mistake.place, mistake.code) for mistake in wrong] == []
    assert book is not None
    results = checking.tests(checking.compiled(book))
    assert [(each.name, each.misses) for each in results if not each.passed] == []
    assert results or "enforcement" in example, "an example shows what it does"


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with everything of `above` put in, table by table."""
    both = {k: _over(below[k], v) for k, v in above.items()
            if isinstance(v, dict) and k in below}  # fmt: skip
    return {**below, **above, **both}


def test_the_rules_page_lists_every_attribute_and_says_which_nothing_fills() -> None:
    listed = [row for row in rows(page(RULES)) if "." in row[0]]
    names = {name for row in listed for name in _SPAN.findall(row[0])}
    assert names - {"customer.x.…", "[attributes]"} == set(attributes.BUILT_IN)
    empty = {n for row in listed if "nothing fills" in row[2] for n in _SPAN.findall(row[0])}
    assert (
        empty & set(attributes.BUILT_IN)
        == set(attributes.BUILT_IN) - _filled() - attributes.COMPUTED
    )
    for row in listed:
        for name in set(_SPAN.findall(row[0])) & set(attributes.BUILT_IN):
            assert row[1] == attributes.BUILT_IN[name].kind.value, name


def _filled() -> set[str]:
    member = Member("linmei", "林梅")
    company = Directory.of([member])
    relation = Relation("linmei", "wm1", RelationState.ADDED, add_way=1)
    count = Counters(1, 2, 3)
    now = policy.TEST_TIME
    return {
        *facts.of_sender(member, company, frozenset({"seller"}), 2),
        *facts.of_contact_count(7),
        *facts.of_customer(Customer("wm1", "甲", "wechat", "", ""), [], sender="linmei", now=now),
        *facts.of_contact(relation, company),
        *facts.of_conflict(()),
        *facts.of_plan(),
        *facts.of_chats(frozenset()),
        *facts.of_claim(Claim(signed=True)),
        *facts.of_wish(),
        *grants.facts_of(Granting("linmei", "friend.add", timedelta(days=1)), "x"),
        *facts.of_counters(count, count),
    }


def test_the_rules_page_lists_every_operator() -> None:
    table = {row[0]: _SPAN.findall(row[1]) for row in rows(page(RULES)) if "`exists`" in row[1]}
    listed = {kind: names for kinds, names in table.items() for kind in kinds.split(", ")}
    assert listed == {kind.value: [each.value for each in ops] for kind, ops in OPERATORS.items()}


# --- operators


def test_the_operators_page_lists_every_metric() -> None:
    endings = {"counter": "_total"}
    metrics = {f"{m.name}{endings.get(m.type, '')}" for m in Metrics().registry.collect()}
    in_rows = {span for row in rows(page(OPERATIONS)) for span in _SPAN.findall(row[0])}
    assert {name for name in in_rows if name.startswith("menwei_")} == metrics


def test_the_operators_page_lists_every_kind_of_message_that_may_be_set_aside() -> None:
    kinds = {span for row in rows(page(OPERATIONS)) for span in _SPAN.findall(row[0])}
    kinds = {kind for kind in kinds if re.fullmatch(r"(?!Menwei)[A-Z]\w+", kind)}  # no alerts
    assert kinds == set(outgoing.KINDS)


def test_the_operators_page_names_codes_that_the_client_knows() -> None:
    first = [row[0] for row in rows(page(OPERATIONS))]
    codes = [int(code) for cell in first for code in re.findall(r"\b\d{5}\b", cell)]
    assert len(codes) >= 5
    assert all(meaning(code).kind is not Kind.UNKNOWN for code in codes)
