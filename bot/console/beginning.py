"""`menwei init`: asks what a first config file depends on and writes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot import settings, texts
from bot.console import shell
from bot.starting import questions, writing
from bot.starting.questions import QUESTIONS, Answers, Question, WrongAnswer
from bot.texts import LANGUAGES, Text, Texts, joined

_WRONG_USE = 2

Given = Mapping[str, str | None]  # what the options say, by the question's key


def init(  # noqa: PLR0913 - one option for each question
    path: Annotated[Path, typer.Argument(help="The file to write.")] = shell.CONFIG,
    *,
    language: Annotated[str | None, typer.Option(help="zh-CN or en.")] = None,
    timezone: Annotated[str | None, typer.Option(help="For example Asia/Shanghai.")] = None,
    corp_id: Annotated[str | None, typer.Option(help="The company's id in WeCom.")] = None,
    agent_id: Annotated[str | None, typer.Option(help="The number of your own app.")] = None,
    department: Annotated[str | None, typer.Option(help="The sales people's department.")] = None,
    admins: Annotated[str | None, typer.Option(help="Userids, comma separated.")] = None,
    directors: Annotated[str | None, typer.Option(help="Userids; may be empty.")] = None,
    vip_tags: Annotated[str | None, typer.Option(help="Customer tags; may be empty.")] = None,
    signed_tags: Annotated[str | None, typer.Option(help="Customer tags; may be empty.")] = None,
    daily_cap: Annotated[str | None, typer.Option(help="Adds a day; 0 is no cap.")] = None,
    hours: Annotated[str | None, typer.Option(help="For example 09:00-19:00.")] = None,
    storage: Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://…")] = None,
    public_url: Annotated[str | None, typer.Option(help="How WeCom reaches Menwei.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "--defaults", "-y", help="Ask nothing: take the defaults.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a first config file from the answers to a dozen questions."""
    answered = locals()
    given = {question.key: answered[question.key] for question in QUESTIONS}
    _leave_alone(path, given, force=force)
    found = _read(given, with_defaults=yes)
    if not yes:
        _ask_the_rest(found)
    answers = questions.answers(found.items())
    voice = texts.load(answers.language)
    _write(path, writing.config_file(answers, voice), voice, force=force)
    shell.say_all(_done(path, answers, voice))


# --- answers


def _voice(given: Given) -> Texts:
    """Return the language that the options ask for; Chinese when they do not say."""
    try:
        return texts.load(questions.language(given["language"] or LANGUAGES[0]))
    except WrongAnswer:
        return texts.load(LANGUAGES[0])


def _read(given: Given, *, with_defaults: bool) -> dict[str, Any]:
    """Return what the options answer; or say everything that is wrong with them and exit with 2."""
    voice = _voice(given)
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for question in QUESTIONS:
        answer = given[question.key]
        if answer is None and with_defaults:
            answer = question.default_in(voice)
            if answer is None:
                wrong.append(_of_option(question, voice("init.needed"), voice))
        try:
            if answer is not None:
                found[question.key] = question.read(answer)
        except WrongAnswer as error:
            wrong.append(_of_option(question, _why(error, voice), voice))
    for line in wrong:
        shell.complain(line)
    if wrong:
        raise typer.Exit(_WRONG_USE)
    return found


def _ask_the_rest(found: dict[str, Any]) -> None:
    """Ask every question that has no answer yet, each until it has a good one."""
    voice = texts.load(found.get("language", LANGUAGES[0]))
    try:
        for question in QUESTIONS:
            if question.key not in found:
                found[question.key] = _asked(question, voice)
            if question.key == "language":
                voice = texts.load(found["language"])
                shell.say(voice("init.welcome"))
    except typer.Abort:  # Ctrl-C, or no more lines to read
        shell.complain(f"\n{voice('init.stopped')}")
        raise typer.Exit(_WRONG_USE) from None


def _asked(question: Question, voice: Texts) -> Any:
    ask, default = _sentence(question, voice), question.default_in(voice)
    prompt = voice("init.prompt", ask=ask, default=default) if default else ask
    while True:
        answer = typer.prompt(prompt, default="", show_default=False)
        try:
            return question.read(answer if answer.strip() else default or "")
        except WrongAnswer as error:
            shell.complain(_why(error, voice))


def _sentence(question: Question, voice: Texts) -> Text:
    if question.key != "language":
        return voice(f"init.ask.{question.key}")
    return joined((texts.load(each)("init.ask.language") for each in LANGUAGES), " / ")


def _why(error: WrongAnswer, voice: Texts) -> Text:
    guess = voice("mistake.did_you_mean", suggestion=error.suggestion) if error.suggestion else ""
    return joined([voice(error.key, **error.values), guess], "")


def _of_option(question: Question, why: Text, voice: Texts) -> Text:
    return voice("init.option", option=question.option, why=why)


# --- the file


def _leave_alone(path: Path, given: Given, *, force: bool) -> None:
    """Exit with 2 if the file is there already, before anybody has answered anything."""
    if (path.exists() or path.is_symlink()) and not force:
        own = {"language": given["language"] or settings.language_of(path)}
        shell.complain(_voice(own)("init.exists", path=path))
        raise typer.Exit(_WRONG_USE)


def _write(path: Path, text: str, voice: Texts, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        shell.complain(voice("init.unwritable", path=path, error=error.strerror))
        raise typer.Exit(shell.FINDINGS) from None


def _done(path: Path, answers: Answers, voice: Texts) -> Iterator[str]:
    """Yield what to do now."""
    config = "" if path == shell.CONFIG else f" --config {shlex.quote(str(path))}"
    schema = shlex.quote(str(path.with_name("config.schema.json")))
    url = f"{answers.public_url or voice('init.your_host')}/wecom/callback"
    yield voice("init.done", path=path)
    if len(answers.admins) == 1:
        yield voice("init.one_admin")
    yield f"\n{voice('init.secrets')}"
    for name in writing.environment_of(answers):
        yield voice("init.variable", name=Text(f"{name:<20}"), what=voice(f"init.secret.{name}"))
    yield f"\n{voice('init.next')}"
    yield voice("init.step_check", command=Text(f"menwei check{config}"))
    yield voice("init.step_serve", command=Text(f"menwei serve{config}"))
    yield voice("init.step_console", url=Text(url))
    yield f"\n{voice('init.step_schema', command=Text(f'menwei schema > {schema}'))}"
    yield voice("init.step_more")
