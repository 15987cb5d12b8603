// Every word of the page itself, in Chinese and English. What the bot says comes from the bot.

const ZH = {
  title: "门卫 Menwei · 模拟器",
  brand: "门卫",
  tagline: "企业微信「加客户」审批机器人 · 四部手机，一台电脑上走完全程",
  live: "已连接", offline: "正在重连…",
  restart: "重新开始", restarting: "正在重新开始…", restarted: "已回到开头",
  restart_hint: "清空模拟世界，从头再来",
  story_n: "故事 {n}", do_it: "替我做", waiting_for: "稍等…", strayed: "您选了另一条路。想看这一条，请「重新开始」。",
  next_story: "下一个故事", story_done: "走完了。也可以随便试试四部手机，它们都是活的。",
  seller: "销售", supervisor: "主管", admin: "管理员", customer: "客户",
  app_name: "门卫", unread: "{n} 条未读",
  say_to_app: "给门卫发消息…", say_to: "发消息给{name}…", send: "发送", suggestions: "试试这些",
  empty_chat_title: "还没有消息", empty_chat: "从下面选一条命令，或者自己写一句。",
  empty_supervisor: "有申请要审批时，卡片会出现在这里。",
  empty_admin: "权限和规则一有变动，通知会出现在这里。",
  open_file: "打开文件 {name}",
  new_message: "有新消息", notice_recalled: "门卫撤回了一条消息", you_scanned: "你扫了一张二维码",
  notice_added: "你和{name}已成为联系人", notice_half: "已添加{name}，可以开始聊天", notice_requested: "已向{name}发送好友申请", you_pressed: "你点了「{what}」",
  console: "企业微信管理后台", console_contact: "客户联系", console_active: "启用", console_department: "{name} 的部门",
  console_note: "在这里调部门、加标签、停用，或给、收客户联系。客户联系的变动，企业微信不通知任何人，门卫每小时去看一次；演示里马上就看。",
  contacts: "客户联系", back: "返回", my_customers: "我的客户", no_customers: "还没有客户。",
  add_by_phone: "按手机号添加", phone_filter: "输入手机号或姓名", add: "添加", nobody_left: "没有可添加的人了。",
  add_note: "不问门卫、直接加——加完门卫才会听说。",
  remove: "删除", confirm_half: "通过", remark: "备注：{remark}",
  state_half: "等你通过", state_requested: "请求加你", state_deleted_by_member: "你已删除", state_deleted_by_customer: "对方已删除你",
  wechat: "微信", choose: "请选择", more: "更多", ticket_gone: "通行码已失效",
  let_customer_scan: "让客户来扫", qr_alt: "二维码",
  chats: "聊天", scan: "扫一扫", people: "通讯录", new_customer: "新客户",
  no_codes: "现在没有可以扫的二维码", no_codes_why: "销售先向门卫报备，获批后会拿到一张通行码。",
  code_of: "{name}的通行码", scan_this: "扫这个码",
  no_friends: "还没有加任何人", no_friends_why: "扫一扫销售出示的通行码，或在通讯录里搜索。",
  request_add: "加好友", asked: "等待通过", friend: "已是好友",
  delete_friend: "删除好友", deleted_you: "对方已不是你的好友", no_messages: "你们已经是好友，打个招呼吧。",
  name: "姓名", company: "公司（选填）", phone: "手机号（选填）", create: "创建", create_title: "造一位新客户",
  type_wechat: "微信用户", type_wecom: "企业微信用户", hello: "你好",
  log: "线上往来", log_sub: "接口调用与回调", log_empty: "还没有往来。", log_in: "回调", log_out: "调用",
  log_open: "展开线上往来", log_close: "收起线上往来",
  failed: "没有做成：{why}", unreachable: "连不上模拟器",
  language: "语言",
  people_switch: "切换{role}",
};

const EN = {
  title: "Menwei 门卫 · Simulator",
  brand: "Menwei",
  tagline: "Approval bot for adding customers in WeCom · four phones, the whole story on one screen",
  live: "Live", offline: "Reconnecting…",
  restart: "Start over", restarting: "Starting over…", restarted: "Back to the beginning",
  restart_hint: "Empty the simulated world and begin again",
  story_n: "Story {n}", do_it: "Do it for me", waiting_for: "One moment…", strayed: "You went another way. To see this one, start over.",
  next_story: "Next story", story_done: "That was it. Feel free to play: all four phones are live.",
  seller: "Seller", supervisor: "Supervisor", admin: "Admin", customer: "Customer",
  app_name: "Menwei 门卫", unread: "{n} unread",
  say_to_app: "Message Menwei…", say_to: "Message {name}…", send: "Send", suggestions: "Try these",
  empty_chat_title: "No messages yet", empty_chat: "Pick a command below, or write your own.",
  empty_supervisor: "When a request needs a decision, its card appears here.",
  empty_admin: "When permissions or rules change, the notice appears here.",
  open_file: "Open the file {name}",
  new_message: "New message", notice_recalled: "Menwei recalled a message", you_scanned: "You scanned a QR code",
  notice_added: "You and {name} are now connected", notice_half: "You added {name} and can chat now", notice_requested: "Request sent to {name}", you_pressed: "You pressed “{what}”",
  console: "WeCom console", console_contact: "Customer contact", console_active: "Active", console_department: "{name}'s department",
  console_note: "Move members, tag or disable them, or give and take customer contact. WeCom tells nobody of customer contact: Menwei looks every hour, and in this demo at once.",
  contacts: "Customers", back: "Back", my_customers: "My customers", no_customers: "No customers yet.",
  add_by_phone: "Add by phone number", phone_filter: "Phone number or name", add: "Add", nobody_left: "Nobody left to add.",
  add_note: "Without asking first: Menwei hears of it afterwards.",
  remove: "Delete", confirm_half: "Accept", remark: "Remark: {remark}",
  state_half: "Waiting for you", state_requested: "Asks to connect", state_deleted_by_member: "Deleted by you", state_deleted_by_customer: "Deleted you",
  wechat: "WeChat", choose: "Choose", more: "More", ticket_gone: "Code no longer valid",
  let_customer_scan: "Let the customer scan", qr_alt: "QR code",
  chats: "Chats", scan: "Scan", people: "Contacts", new_customer: "New",
  no_codes: "There is no code to scan", no_codes_why: "A seller asks Menwei first and gets a code once approved.",
  code_of: "{name}'s ticket", scan_this: "Scan this",
  no_friends: "No contacts yet", no_friends_why: "Scan a seller's ticket, or find somebody under Contacts.",
  request_add: "Add", asked: "Not accepted yet", friend: "Connected",
  delete_friend: "Delete contact", deleted_you: "No longer your contact", no_messages: "You are connected. Say hello.",
  name: "Name", company: "Company (optional)", phone: "Phone (optional)", create: "Create", create_title: "Make a new customer",
  type_wechat: "WeChat user", type_wecom: "WeCom user", hello: "Hello",
  log: "On the wire", log_sub: "API calls and callbacks", log_empty: "Nothing yet.", log_in: "callback", log_out: "call",
  log_open: "Show what goes over the wire", log_close: "Hide what goes over the wire",
  failed: "That did not work: {why}", unreachable: "the simulator cannot be reached",
  language: "Language",
  people_switch: "Switch {role}",
};

export const LANGUAGES = { zh: ZH, en: EN };

/** Return `t(key, values)` for one language; a key nobody wrote is a bug and throws. */
export function translator(language) {
  const table = LANGUAGES[language];
  return (key, values = {}) => {
    const text = table[key];
    if (text === undefined) throw new Error(`no text named ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  };
}
