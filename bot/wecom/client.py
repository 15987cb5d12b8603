"""The WeCom client: every call Menwei makes, on one aiohttp session."""

from __future__ import annotations

import time
from collections.abc import Callable

import aiohttp
from pydantic import SecretStr

from bot.wecom.agent import AgentCalls
from bot.wecom.contacts import Contacts
from bot.wecom.directory import DirectoryCalls
from bot.wecom.leavers import Leavers
from bot.wecom.messages import Messages
from bot.wecom.tokens import App, Tokens, TokenStore
from bot.wecom.traffic import Traffic
from bot.wecom.transfers import Transfers
from bot.wecom.wire import TIMEOUT, OnCall, Wire


class Wecom(Messages, Contacts, Transfers, Leavers, DirectoryCalls, AgentCalls):
    """One self-built app of one company.

    All calls raise `WecomError`, and nothing else, for whatever WeCom or the network does; its
    `kind` says what to do. No call retries by itself but for one renewal of the token. The
    session is the caller's to close; `on_call` gets path, errcode and seconds of every exchange.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        http: aiohttp.ClientSession,
        *,
        api_base: str,
        corp_id: str,
        agent_id: int,
        secret: SecretStr,
        cache: TokenStore,
        clock: Callable[[], float] = time.monotonic,
        on_call: OnCall,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        traffic: Traffic | None = None,
    ) -> None:
        wire = Wire(http, api_base, clock=clock, on_call=on_call, timeout=timeout, traffic=traffic)
        app = App(corp_id, agent_id, secret)
        super().__init__(wire, Tokens(wire, app, store=cache, clock=clock), app)
