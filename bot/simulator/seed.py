"""The demo corporation 青禾科技, which `menwei demo` and most tests start from."""

from __future__ import annotations

from bot.simulator.records import WECOM, Bond, CorpTag, Customer, Member, Relation, TagGroup
from bot.simulator.world import World

CORP_ID = "ww00gate00demo0001"
AGENT_ID = 1000007

ZHANG_WEI = "wmDemoZhangWei0000000000000001"
LIU_JIANGUO = "woDemoLiuJianguo00000000000002"
HE_CHEN = "woDemoHeChen000000000000000003"
LIN_XUE = "wmDemoLinXue000000000000000004"
MA_CHAO = "wmDemoMaChao000000000000000005"

SALES, MARKETING, BOARD, ACCOUNTS = 2, 3, 4, 5

_MEMBERS = (
    Member("zhouxiaomei", "周小美", [SALES], "实习销售", ["wangfang"]),
    Member("sunlei", "孙磊", [SALES], "销售", ["wangfang"]),
    Member("wangfang", "王芳", [SALES], "销售主管", ["liqiang"]),
    Member("liqiang", "李强", [BOARD], "销售总监"),
    Member("zhaomin", "赵敏", [BOARD], "IT 管理员"),
    Member("chenyu", "陈宇", [BOARD], "运营管理员"),
    Member("pool", "客户公海", [SALES], "公共账号"),
)

_CUSTOMERS = (
    Customer(ZHANG_WEI, "张伟", phone="13800001234"),
    Customer(LIU_JIANGUO, "刘建国", WECOM, "恒远集团", position="采购总监"),
    Customer(HE_CHEN, "何晨", WECOM, "竞品甲科技", position="产品经理"),
    Customer(LIN_XUE, "林雪", phone="13900005678"),
    Customer(MA_CHAO, "马超"),
)

_TAGS = {"客户等级": ("战略客户", "VIP", "普通"), "客户状态": ("已签约", "潜在")}


def demo_world() -> World:
    """A fresh 青禾科技. Everybody in it may use customer contact."""
    world = World()
    world.corp_id, world.agent_id = CORP_ID, AGENT_ID
    world.state.corp_name = "青禾科技"
    world.add_department(1, "青禾科技", parentid=0)
    world.add_department(SALES, "销售部", leaders=["wangfang"])
    world.add_department(MARKETING, "市场部")
    world.add_department(BOARD, "管理部", leaders=["liqiang"])
    world.add_department(ACCOUNTS, "大客户部")
    for member in _MEMBERS:
        fresh = (list(member.departments), member.position, list(member.direct_leader))
        world.add_member(Member(member.userid, member.name, *fresh))
    world.add_directory_tag(1, "试用期", ["zhouxiaomei"])
    _add_tags(world)
    for one in _CUSTOMERS:
        details = (one.type, one.corp_name, one.phone, one.position)
        world.create_customer(Customer(one.external_userid, one.name, *details))
    _add_vip(world)
    return world


def _add_tags(world: World) -> None:
    now, made = world.now(), 0
    for group_order, (group_name, names) in enumerate(_TAGS.items()):
        group_id = f"etDemoGroup{group_order + 1:02}"
        group = TagGroup(group_id, group_name, now, group_order)
        for order, name in enumerate(names):
            made += 1
            group.tags.append(CorpTag(f"etDemoTag{made:02}", name, now, order))
        world.state.tag_groups[group_id] = group


def _add_vip(world: World) -> None:
    strategic = world.state.tag_groups["etDemoGroup01"].tags[0].id
    half_a_year_ago = world.now() - 180 * 86400
    relation = Relation("liqiang", LIU_JIANGUO, Bond.ADDED, half_a_year_ago, 3, "liqiang")
    relation.tags, relation.remark, relation.chatting = [strategic], "恒远 刘总", True
    world.state.put_relation(relation)
