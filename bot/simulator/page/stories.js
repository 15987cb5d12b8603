// The stories a visitor is led through: who does what, when a step is done, and how to do it for them.

import { isOpen, keyEnding } from "./world.js";

const ASK = "加 张伟 明达贸易 13800001234 展会认识";
const WAY_PHONE_SEARCH = 2; // WeCom's add_way for a search by phone number (document 92114)
const APPROVE = '[data-key$=":approve"]:not(:disabled)';
const WAITING = "待审批";
const FORBIDDEN = "违规添加";
const REFUSED = "已拒绝";

const ACCOUNTS = "大客户部";

const departmentNumber = (w, name) => w.state.departments.find((one) => one.name === name)?.id;
const inDepartment = (w, userid, name) => (w.member(userid)?.department ?? []).includes(name);
const outcomeOf = (message) => message?.card.replaced || message?.card.replace_text || "";
const member = (userid, verb) => `/sim/members/${userid}/${verb}`;

/** Press approve on the card about `name`; the card's own preselected answers stand. */
function approve(userid, name) {
  return {
    able: (w) => Boolean(w.openCard(userid, name)),
    strayed: (w) => !w.openCard(userid, name) && outcomeOf(w.card(userid, name)) === REFUSED,
    act: (w, post) => {
      const message = w.openCard(userid, name);
      const key = message.card.button_list.map((b) => b.key ?? "").find((k) => k.endsWith(":approve"));
      return post(member(userid, "press"), { task_id: message.task_id, key, selected: {} });
    },
  };
}

/** Press the button whose key ends like this on the card with these words. */
function pressKey(userid, words, ending) {
  return {
    able: (w) => {
      const message = w.card(userid, words);
      return Boolean(message && isOpen(message) && keyEnding(message, ending));
    },
    act: (w, post) => {
      const message = w.card(userid, words);
      return post(member(userid, "press"), { task_id: message.task_id, key: keyEnding(message, ending), selected: {} });
    },
  };
}

function addBySearch(userid, name) {
  return {
    able: (w) => Boolean(w.customerNamed(name)),
    act: (w, post) => post(member(userid, "add"), {
      external_userid: w.customerNamed(name).external_userid, way: WAY_PHONE_SEARCH,
    }),
    hint: (w) => [`[data-role="add"][data-for="${w.customerNamed(name)?.external_userid}"]`, '[data-role="contacts"]'],
  };
}

/** Say a line to the app; `shown` says when it has been understood. */
function say(userid, text, shown) {
  return { done: shown, act: (w, post) => post(member(userid, "say"), { text }) };
}

const heard = (w, userid, words) => w.told(userid, words).length > 0;

const tagged = (w, userid, name, tag) => (w.relation(userid, name)?.tags ?? []).includes(tag);
export const hasLeft = (w, userid) => w.state.members.some((one) => one.userid === userid && one.status === "left");
const deleted = (w, userid, name) => w.relation(userid, name)?.state === "deleted_by_member";

// A story's `cast` holds the phones when it begins. A step: `at` is the phone and its owner; `done` reads the world; without `act` it happens by itself.
export const STORIES = [
  {
    key: "1",
    cast: { seller: "zhouxiaomei", supervisor: "wangfang", customer: "张伟" },
    title: { zh: "先问再加", en: "Ask first" },
    intro: {
      zh: "要加客户，先问门卫。批准后拿到只给这位客户用的通行码，扫完即废。",
      en: "Ask Menwei before adding. Once approved, you get a one-time QR ticket for this customer.",
    },
    steps: [
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "周小美报备", en: "Zhou Xiaomei asks" },
        text: { zh: "实习销售没有直接添加的权限，她给门卫发一句话。", en: "A trainee may not add on her own, so she sends Menwei one line." },
        done: (w) => Boolean(w.card("wangfang", "张伟")),
        act: (w, post) => post(member("zhouxiaomei", "say"), { text: ASK }),
        hint: () => ['.composer.ready [data-role="send"]', ".chip:first-child"],
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳批准", en: "Wang Fang approves" },
        text: { zh: "主管收到卡片，决定所需的都在上面，点「同意」。", en: "Her card holds all she needs to decide. She presses Approve." },
        done: (w) => w.gotCode("zhouxiaomei"),
        ...approve("wangfang", "张伟"),
        hint: () => [APPROVE],
      },
      {
        at: ["customer", "张伟"],
        title: { zh: "张伟扫码", en: "Zhang Wei scans" },
        text: { zh: "通行码已发给周小美，她给张伟看，张伟扫一扫。", en: "Xiaomei got the ticket and shows it; Zhang Wei scans it." },
        done: (w) => w.connected("zhouxiaomei", "张伟"),
        able: (w) => Boolean(w.way("zhouxiaomei") && w.customerNamed("张伟")),
        act: (w, post) => post(`/sim/customers/${w.customerNamed("张伟").external_userid}/scan`, {
          config_id: w.way("zhouxiaomei").config_id,
        }),
        hint: () => ["[data-scan]", '[data-tab="scan"]'],
      },
      {
        at: ["customer", "张伟"],
        title: { zh: "互为好友，通行码作废", en: "Connected, closed" },
        text: { zh: "张伟收到欢迎语；门卫删掉通行码，申请结案。", en: "Zhang Wei is greeted; Menwei deletes the ticket and closes the request." },
        done: (w) => w.connected("zhouxiaomei", "张伟") && !w.way("zhouxiaomei"),
      },
    ],
  },
  {
    key: "2",
    cast: { seller: "sunlei", supervisor: "wangfang", customer: "刘建国" },
    title: { zh: "先加后审", en: "After the fact" },
    intro: {
      zh: "没问就加了？企业微信拦不住，但门卫马上知道：先隔离，再逐级审批。",
      en: "Added without asking? WeCom cannot stop it, but Menwei hears at once, contains it and asks.",
    },
    steps: [
      {
        at: ["seller", "sunlei"],
        title: { zh: "孙磊直接加了刘建国", en: "Sun Lei adds a VIP" },
        text: { zh: "按手机号搜到就加。刘建国是李强的战略客户，门卫打上「待审批」。", en: "Liu Jianguo is Li Qiang's strategic customer, so Menwei tags him 待审批." },
        done: (w) => Boolean(w.card("wangfang", "刘建国")) || tagged(w, "sunlei", "刘建国", WAITING),
        ...addBySearch("sunlei", "刘建国"),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "主管王芳同意", en: "Wang Fang agrees" },
        text: { zh: "VIP 要两级批准：第一关是孙磊的主管。", en: "A VIP needs two approvals. First his supervisor." },
        done: (w) => Boolean(w.card("liqiang", "刘建国")),
        ...approve("wangfang", "刘建国"),
        hint: () => [APPROVE],
      },
      {
        at: ["supervisor", "liqiang"],
        title: { zh: "总监李强同意", en: "Li Qiang agrees" },
        text: { zh: "第二关是总监。谁已同意、为何要批，卡片上都写着。", en: "Then the director. The card says who agreed and why he is asked." },
        done: (w) => Boolean(w.card("liqiang", "刘建国")) && !w.openCard("liqiang", "刘建国"),
        ...approve("liqiang", "刘建国"),
        hint: () => [APPROVE],
      },
      {
        at: ["seller", "sunlei"],
        title: { zh: "解除隔离", en: "Released" },
        text: { zh: "「待审批」标签被摘掉，孙磊收到结果，可以正常跟进了。", en: "The tag comes off and Sun Lei is told: he may carry on." },
        done: (w) => w.connected("sunlei", "刘建国")
          && !tagged(w, "sunlei", "刘建国", WAITING) && !tagged(w, "sunlei", "刘建国", FORBIDDEN),
      },
    ],
  },
  {
    key: "3",
    cast: { seller: "sunlei", supervisor: "wangfang", customer: "何晨" },
    title: { zh: "加了竞品", en: "Forbidden" },
    intro: {
      zh: "规则写明竞品不能加。门卫要求删除，并一直盯到真的删了才结案。",
      en: "The rules forbid competitors. Menwei asks to delete, and closes only once it sees the deletion.",
    },
    steps: [
      {
        at: ["seller", "sunlei"],
        title: { zh: "孙磊加了何晨", en: "Sun Lei adds He Chen" },
        text: { zh: "何晨在竞品甲科技。规则「no-competitor」当场拒绝，打上「违规添加」。", en: "He Chen works for a competitor. Rule no-competitor refuses and tags him 违规添加." },
        done: (w) => tagged(w, "sunlei", "何晨", FORBIDDEN) || w.told("sunlei", "何晨").length > 0,
        ...addBySearch("sunlei", "何晨"),
      },
      {
        at: ["seller", "sunlei"],
        title: { zh: "孙磊照要求删除", en: "He deletes the contact" },
        text: { zh: "门卫说明原因和期限。在「客户联系」里删掉何晨。", en: "Menwei says why and by when. Delete He Chen under Customers." },
        done: (w) => deleted(w, "sunlei", "何晨"),
        able: (w) => w.connected("sunlei", "何晨"),
        act: (w, post) => post(member("sunlei", "delete"), { external_userid: w.customerNamed("何晨").external_userid }),
        hint: (w) => [`[data-role="delete"][data-for="${w.customerNamed("何晨")?.external_userid}"]`, '[data-role="contacts"]'],
      },
      {
        at: ["seller", "sunlei"],
        title: { zh: "看到删除，结案", en: "Seen and closed" },
        text: { zh: "不靠自觉：门卫收到删除回调才结案，全程留痕。", en: "Not on trust: Menwei closes the case on WeCom's callback, all on record." },
        done: (w) => deleted(w, "sunlei", "何晨") && w.told("sunlei", "何晨").length > 1,
      },
    ],
  },
  {
    key: "4",
    cast: { seller: "zhouxiaomei", supervisor: "wangfang", customer: "马超" },
    title: { zh: "请假代批", en: "Away" },
    intro: {
      zh: "主管请假，申请不等人：指定的同事代批，卡片和留痕都写明代谁。",
      en: "The supervisor is away and nothing waits: a colleague decides in her name, and the record says so.",
    },
    steps: [
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳请假", en: "Wang Fang is away" },
        text: { zh: "她说一句：请假 3天 给 李强。等她的申请也会转过去。", en: "She says: 请假 3天 给 李强 (away 3 days to Li Qiang). What waits for her goes along." },
        ...say("wangfang", "请假 3天 给 李强", (w) => heard(w, "wangfang", "由 李强 代办")),
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "周小美报备", en: "Zhou Xiaomei asks" },
        text: { zh: "她照常报备马超，卡片到了李强那里。", en: "She asks about Ma Chao as ever; the card goes to Li Qiang." },
        ...say("zhouxiaomei", "加 马超 飞驰物流 13700001111 老客户介绍", (w) => Boolean(w.card("liqiang", "马超"))),
      },
      {
        at: ["supervisor", "liqiang"],
        title: { zh: "李强代批", en: "Li Qiang stands in" },
        text: { zh: "卡片写着「代 王芳 审批」。", en: "The card says that he decides in Wang Fang's place." },
        done: (w) => heard(w, "zhouxiaomei", "李强（代 王芳）"),
        ...approve("liqiang", "马超"),
        hint: () => [APPROVE],
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳回来", en: "She is back" },
        text: { zh: "提前回来也是一句话，审批交还给她。", en: "Back early is one word too: 回来." },
        ...say("wangfang", "回来", (w) => heard(w, "wangfang", "欢迎回来")),
      },
    ],
  },
  {
    key: "5",
    cast: { seller: "zhouxiaomei", supervisor: "wangfang", customer: "张伟" },
    title: { zh: "批量报备", en: "A whole list" },
    intro: {
      zh: "展会回来一叠名片：贴一份名单，逐个判断，一张卡片批完。",
      en: "Back from a fair with a stack of cards: paste a list, each is judged, one card decides.",
    },
    steps: [
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "周小美贴名单", en: "She pastes a list" },
        text: { zh: "每行一位，写法和报备一样。竞品等不许加的会当场说明。", en: "One customer a line, as she would ask for one. What may not be added is said at once." },
        ...say("zhouxiaomei", "批量加\n吴迪 星河设计 13600002222 展会\n陈静 朗润科技 13500003333 展会\n高峰 云帆软件 13400004444 展会",
          (w) => Boolean(w.card("wangfang", "吴迪等 3 位"))),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳一次批完", en: "One decision" },
        text: { zh: "卡片给出人数、等级和例外，「详情」里有编号，可以留下几个不批。", en: "The card has totals and outliers; the details are numbered, so some can be left out." },
        done: (w) => heard(w, "zhouxiaomei", "吴迪等 3 位客户）已由"),
        ...approve("wangfang", "吴迪等 3 位"),
        hint: () => [APPROVE],
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "三张通行码", en: "Three tickets" },
        text: { zh: "每位客户各有一张通行码，各自留痕，各自结案。", en: "A ticket for each customer, each with its own record." },
        done: (w) => w.state.contact_ways.filter((way) => way.userid === "zhouxiaomei").length >= 3,
      },
    ],
  },
  {
    key: "6",
    cast: { seller: "sunlei", supervisor: "wangfang", customer: "林雪" },
    title: { zh: "转移客户", en: "Hand over" },
    intro: {
      zh: "换人跟进也要先批：批准后门卫向企业微信提交，并一直盯到看见结果。",
      en: "Handing a customer over needs approval first; then Menwei asks WeCom and follows it to the end.",
    },
    steps: [
      {
        at: ["seller", "sunlei"],
        title: { zh: "孙磊加了林雪", en: "Sun Lei adds Lin Xue" },
        text: { zh: "正式销售可以直接加普通客户。", en: "A seller may add an ordinary customer at once." },
        done: (w) => w.connected("sunlei", "林雪"),
        ...addBySearch("sunlei", "林雪"),
      },
      {
        at: ["seller", "sunlei"],
        title: { zh: "申请转给周小美", en: "He asks to hand her over" },
        text: { zh: "一句话：转移 林雪 给 周小美 换人跟进。", en: "One line: 转移 林雪 给 周小美 换人跟进 (transfer Lin Xue to Zhou Xiaomei)." },
        ...say("sunlei", "转移 林雪 给 周小美 换人跟进", (w) => Boolean(w.card("wangfang", "转移 林雪"))),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳批准", en: "Wang Fang approves" },
        text: { zh: "从谁转给谁、几位客户、什么等级，卡片上都有。", en: "The card says from whom to whom, how many and which." },
        done: (w) => heard(w, "sunlei", "还可以反悔"),
        ...approve("wangfang", "转移 林雪"),
        hint: () => [APPROVE],
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "企业微信受理", en: "WeCom accepts" },
        text: {
          zh: "先等几秒，王芳还可以反悔；之后客户 24 小时内可以拒绝，看到结果门卫再通知三方。",
          en: "For some seconds Wang Fang may still undo it. Then the customer may refuse within 24 hours; all are told once the result is seen.",
        },
        done: (w) => heard(w, "zhouxiaomei", "企业微信已受理"),
      },
    ],
  },
  {
    key: "7",
    cast: { seller: "zhouxiaomei", supervisor: "wangfang", customer: "张伟" },
    title: { zh: "临时权限", en: "For three days" },
    intro: {
      zh: "展会三天，临时放开一个动作：有理由、有期限、到期自动收回，管理员知情。",
      en: "Three days of a fair: one action, with a reason and an end. It ends by itself, and the admins know.",
    },
    steps: [
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "周小美申请权限", en: "She asks for a right" },
        text: { zh: "申请权限 添加客户 3天 展会期间", en: "申请权限 添加客户 3天 展会期间 (to add customers for three days)" },
        ...say("zhouxiaomei", "申请权限 添加客户 3天 展会期间", (w) => Boolean(w.card("wangfang", "申请临时授权"))),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳批准", en: "Wang Fang approves" },
        text: { zh: "卡片写明会变成什么：需审批 → 允许。", en: "The card says what changes: needs approval → allowed." },
        done: (w) => heard(w, "zhouxiaomei", "您获得了临时权限"),
        ...approve("wangfang", "申请临时授权"),
        hint: () => [APPROVE],
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "不用再等", en: "No waiting" },
        text: { zh: "这三天里她报备，通行码立刻就到。规则照样管着她。", en: "For these days her tickets come at once. The rules still hold." },
        ...say("zhouxiaomei", "加 唐敏 远航外贸 13300005555 展会认识", (w) => heard(w, "zhouxiaomei", "可以添加 唐敏")),
      },
    ],
  },
  {
    key: "8",
    cast: { seller: "sunlei", supervisor: "wangfang", customer: "林雪" },
    title: { zh: "离职交接", en: "Leaving" },
    intro: {
      zh: "人走了，权限立刻收回；客户有几位在等、交给谁，一句话办完，一直盯到看见结果。",
      en: "Somebody leaves: rights end at once. One line hands their customers over, followed to the end.",
    },
    steps: [
      {
        at: ["seller", "sunlei"],
        title: { zh: "孙磊加了林雪", en: "Sun Lei adds Lin Xue" },
        text: { zh: "她就成了孙磊的客户。", en: "So she is his customer." },
        done: (w) => w.connected("sunlei", "林雪") || hasLeft(w, "sunlei"),
        ...addBySearch("sunlei", "林雪"),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "孙磊离职", en: "Sun Lei leaves" },
        text: { zh: "主管和管理员各收到一条：结束了什么，还有几位客户等人接手。", en: "His lead and the admins hear what was ended, and how many customers wait." },
        done: (w) => heard(w, "wangfang", "孙磊 离职后"),
        able: (w) => !hasLeft(w, "sunlei"),
        act: (w, post) => post(member("sunlei", "leave"), {}),
      },
      {
        at: ["supervisor", "wangfang"],
        title: { zh: "王芳安排接手", en: "Wang Fang hands over" },
        text: { zh: "一句话：转移 孙磊的全部 给 周小美 离职交接。", en: "One line: 转移 孙磊的全部 给 周小美 (transfer sunlei's all to zhouxiaomei)." },
        ...say("wangfang", "转移 孙磊的全部 给 周小美 离职交接", (w) => Boolean(w.card("liqiang", "申请转移"))),
      },
      {
        at: ["supervisor", "liqiang"],
        title: { zh: "李强批准", en: "Li Qiang approves" },
        text: { zh: "卡片上是总数：每人接几位、什么等级、几个客户群。", en: "The card holds totals: who takes how many, of which tiers, and groups." },
        done: (w) => heard(w, "zhouxiaomei", "您将接手 孙磊"),
        ...approve("liqiang", "申请转移"),
        hint: () => [APPROVE],
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "企业微信受理", en: "WeCom accepts" },
        text: { zh: "24 小时后生效；谁拒绝了、还剩几位，门卫会再说。", en: "It takes effect after 24 hours; who refused and who is left will be told." },
        done: (w) => heard(w, "zhouxiaomei", "您将接手 孙磊"),
      },
    ],
  },
  {
    key: "9",
    cast: { seller: "zhouxiaomei", supervisor: "sunlei", customer: "林雪" },
    title: { zh: "撞单", en: "Conflict" },
    intro: {
      zh: "两个人要同一个客户：谁先报备归谁，后来的看不到电话和全名，但可以请对方让出来。",
      en: "Two want one customer. The first is protected; the second sees no number and no full name, but can ask.",
    },
    steps: [
      {
        at: ["supervisor", "sunlei"],
        title: { zh: "孙磊先报备", en: "Sun Lei is first" },
        text: { zh: "孙磊报备林雪，拿到通行码。发「我的」能看到保护到哪天。", en: "He asks for Lin Xue and gets the ticket. 我的 (mine) shows until when he is protected." },
        ...say("sunlei", "加 林雪 朗润科技 13900005678 展会认识", (w) => w.gotCode("sunlei") || Boolean(w.card("zhouxiaomei", "撞单提醒"))),
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "周小美也报备", en: "Xiaomei asks, too" },
        text: { zh: "号码换了写法也认得出。她看到打码的姓名、部门和时间。", en: "The number is known however it is written. She reads a masked name, the team and since when." },
        ...say("zhouxiaomei", "加 林总 朗润科技 +86 139-0000-5678 朋友介绍", (w) => Boolean(w.card("zhouxiaomei", "撞单提醒"))),
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "请对方让给我", en: "She asks him" },
        text: { zh: "在卡片上点「请对方让给我」。", en: "She presses 请对方让给我 (please give way) on the card." },
        done: (w) => Boolean(w.card("sunlei", "先报备的 林雪")),
        ...pressKey("zhouxiaomei", "撞单提醒", ":yield"),
        hint: () => ['[data-key$=":yield"]:not(:disabled)'],
      },
      {
        at: ["supervisor", "sunlei"],
        title: { zh: "孙磊同意", en: "He agrees" },
        text: { zh: "他知道是谁、为什么。点「同意」，他的通行码随即作废。", en: "He reads who and why, and agrees: his ticket ends at once." },
        done: (w) => heard(w, "zhouxiaomei", "让给您"),
        ...pressKey("sunlei", "先报备的 林雪", ":yes"),
        hint: () => ['[data-key$=":yes"]:not(:disabled)'],
      },
    ],
  },
  {
    key: "10",
    cast: { seller: "zhouxiaomei", supervisor: "wangfang", admin: "zhaomin", customer: "张伟" },
    title: { zh: "调岗", en: "A transfer" },
    intro: {
      zh: "人事在企业微信后台调了岗，权限跟着变。谁能做什么了、不能做什么了，管理员马上知道。",
      en: "Somebody changes departments in WeCom's console, and permissions change with it. The admins hear at once.",
    },
    steps: [
      {
        at: ["admin", "zhaomin"],
        title: { zh: "周小美调到大客户部", en: "Xiaomei is moved" },
        text: { zh: "在管理后台把她从销售部调到大客户部。", en: "In WeCom's console she moves from 销售部 to 大客户部 (key accounts)." },
        done: (w) => inDepartment(w, "zhouxiaomei", ACCOUNTS),
        act: (w, post) => post(member("zhouxiaomei", "move"), { department_id: departmentNumber(w, ACCOUNTS) }),
        able: (w) => Boolean(departmentNumber(w, ACCOUNTS)),
        hint: () => ['[data-member="zhouxiaomei"] [data-role="move"]', '[data-role="console"]'],
      },
      {
        at: ["admin", "zhaomin"],
        title: { zh: "管理员马上知道", en: "The admins hear of it" },
        text: { zh: "一条通知：谁、发生了什么、现在能做什么。一次调几百人也只有一条。", en: "One notice: who, what happened, what they may do now. Hundreds at once are still one." },
        done: (w) => heard(w, "zhaomin", "周小美 加入 大客户部"),
      },
      {
        at: ["seller", "zhouxiaomei"],
        title: { zh: "不用再等审批", en: "No waiting" },
        text: { zh: "她再报备，通行码立刻就到。", en: "She asks again, and her ticket comes at once." },
        ...say("zhouxiaomei", "加 张伟 明达贸易 13800001234 展会认识", (w) => heard(w, "zhouxiaomei", "可以添加 张伟")),
      },
      {
        at: ["admin", "zhaomin"],
        title: { zh: "收走孙磊的客户联系", en: "Contact is taken" },
        text: { zh: "企业微信不会告诉任何人；门卫自己去看，并指出与规则不符。", en: "WeCom tells nobody; Menwei looks by itself, and says that the rules still let him add." },
        done: (w) => heard(w, "zhaomin", "孙磊 不能再使用客户联系"),
        act: (w, post) => post(member("sunlei", "contact"), { allowed: false }),
        strayed: (w) => hasLeft(w, "sunlei"),
        hint: () => ['[data-role="contact"][data-for="sunlei"]', '[data-role="console"]'],
      },
    ],
  },
];

/**
 * Return one flag per step. A later step that is done proves the earlier ones, but what happens by
 * itself only counts once everything before it is done.
 */
export function progress(story, world) {
  const flags = story.steps.map((step) => step.done(world));
  let proven = false;
  for (let i = flags.length - 1; i >= 0; i -= 1) {
    if (flags[i] && story.steps[i].act) proven = true;
    if (proven) flags[i] = true;
  }
  return flags.map((flag, i) => flag && flags.slice(0, i).every(Boolean));
}
