"""Where things are in WeCom's console (管理后台), as it calls them whatever language we speak."""

from __future__ import annotations

from collections.abc import Mapping

_APP = "应用管理 → 自建 → 应用"

MENUS: Mapping[str, str] = {
    "menu_app": _APP,
    "menu_secret": f"{_APP} → Secret",
    "menu_corp": "我的企业 → 企业信息 → 企业ID",
    "menu_ip": f"{_APP} → 企业可信IP",
    "menu_visible": f"{_APP} → 可见范围",
    "menu_api": f"{_APP} → 接收消息 → 设置API接收",
    "menu_contact": "客户联系 → 可调用接口的应用",
    "menu_sellers": "客户联系 → 权限配置 → 使用范围",
    "menu_tags": "客户联系 → 客户标签",
    "menu_directory": "管理工具 → 通讯录同步 → 设置接收事件服务器",
    "event_switch": "外部联系人变更回调",
}
