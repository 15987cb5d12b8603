// The three stories a visitor is led through: who does what, when a step is done, and how to do it for them.

const ASK = "加 张伟 明达贸易 13800001234 展会认识";
const WAY_PHONE_SEARCH = 2; // WeCom's add_way for a search by phone number (document 92114)
const APPROVE = '[data-key$=":approve"]:not(:disabled)';
const WAITING = "待审批";
const FORBIDDEN = "违规添加";
const REFUSED = "已拒绝";

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

function addBySearch(userid, name) {
  return {
    able: (w) => Boolean(w.customerNamed(name)),
    act: (w, post) => post(member(userid, "add"), {
      external_userid: w.customerNamed(name).external_userid, way: WAY_PHONE_SEARCH,
    }),
    hint: (w) => [`[data-role="add"][data-for="${w.customerNamed(name)?.external_userid}"]`, '[data-role="contacts"]'],
  };
}

const tagged = (w, userid, name, tag) => (w.relation(userid, name)?.tags ?? []).includes(tag);
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
