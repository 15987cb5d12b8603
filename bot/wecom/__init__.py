"""WeCom's API as Menwei uses it: typed calls, one token, errors that say what to do."""

from bot.wecom.agent import AppReply, MenuButton
from bot.wecom.answers import (
    ContactWay,
    CorpTag,
    DirectoryTag,
    ExternalContact,
    FollowedPage,
    FollowUser,
    GroupChat,
    GroupMember,
    Scope,
    Sent,
    Tag,
    TagGroup,
    TagMembers,
    Transferred,
)
from bot.wecom.budgets import SharedBudget
from bot.wecom.client import Wecom
from bot.wecom.codes import Kind, meaning
from bot.wecom.errors import HeldBack, Unreachable, WecomError
from bot.wecom.limits import MessageBudget, cut, cut_characters
from bot.wecom.messages import Article
from bot.wecom.tokens import TokenStore
from bot.wecom.traffic import Traffic

__all__ = [
    "AppReply",
    "Article",
    "ContactWay",
    "CorpTag",
    "DirectoryTag",
    "ExternalContact",
    "FollowUser",
    "FollowedPage",
    "GroupChat",
    "GroupMember",
    "HeldBack",
    "Kind",
    "MenuButton",
    "MessageBudget",
    "Scope",
    "Sent",
    "SharedBudget",
    "Tag",
    "TagGroup",
    "TagMembers",
    "TokenStore",
    "Traffic",
    "Transferred",
    "Unreachable",
    "Wecom",
    "WecomError",
    "cut",
    "cut_characters",
    "meaning",
]
