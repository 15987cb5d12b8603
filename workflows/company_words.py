"""The words in names of companies that do not say who it is, for `workflows.companies`.

Each is a list with blanks between.
"""

from __future__ import annotations

# Places that stand before or behind a name.
PLACES = (
    "中国 中华 全国 华东 华南 华北 华中 西南 西北 东北 北京 上海 天津 重庆 河北 山西 辽宁 "
    "吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 "
    "甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门 深圳 广州 杭州 南京 苏州 成都 武汉 "
    "西安 郑州 长沙 青岛 宁波 东莞 佛山 无锡 合肥 厦门 福州 济南 大连 沈阳 哈尔滨 长春 "
    "石家庄 太原 南昌 昆明 贵阳 南宁 海口 兰州 西宁 银川 乌鲁木齐 呼和浩特 拉萨 珠海 中山 "
    "惠州 江门 汕头 湛江 常州 南通 徐州 扬州 镇江 泰州 盐城 淮安 连云港 温州 嘉兴 湖州 绍兴 "
    "金华 台州 义乌 昆山 烟台 潍坊 威海 淄博 临沂 济宁 洛阳 唐山 保定 廊坊 泉州 漳州 芜湖 "
    "株洲 宜昌 襄阳 绵阳 桂林 柳州 三亚 鞍山 包头 大庆 雄安 浦东 虹桥 横琴 前海"
)

# Legal forms and parts of a company.
LEGAL = (
    "股份有限公司 有限责任公司 有限公司 股份公司 责任公司 集团公司 总公司 分公司 子公司 "
    "公司 集团 控股 股份 有限合伙 普通合伙 特殊普通合伙 个人独资企业 个体工商户 总部 分部 "
    "总行 分行 支行 办事处"
)

# Trades, and what people write who have no name to give.
GENERAL = (
    "科技 技术 信息 网络 软件 系统 数据 智能 电子 电器 电气 通信 通讯 光电 半导体 计算机 "
    "互联网 数码 数字 人工智能 贸易 商贸 进出口 外贸 国际 实业 工业 产业 企业 商业 商务 "
    "商行 经贸 物资 供应链 物流 运输 货运 快递 仓储 发展 开发 投资 资产 资本 基金 金融 保险 "
    "证券 银行 信托 租赁 担保 置业 地产 房地产 物业 建设 建筑 工程 装饰 装修 设计 建材 钢铁 "
    "机械 设备 制造 精密 模具 五金 汽车 汽配 化工 石油 石化 能源 电力 新能源 环保 环境 材料 "
    "新材料 塑料 橡胶 纺织 服装 服饰 鞋业 家具 家居 家电 食品 饮料 啤酒 酒业 农业 农产品 "
    "生物 医药 制药 医疗 器械 健康 药业 医院 教育 培训 咨询 顾问 管理 服务 文化 传媒 传播 "
    "广告 影视 娱乐 旅游 旅行社 酒店 餐饮 移动 联通 电信 航空 铁路 港口 自动化 仪器 仪表 "
    "印刷 包装 珠宝 美容 化妆品 电子商务 人力资源 劳务 事务所 研究院 研究所 大学 学院 学校 "
    "中学 中心 工作室 经营部 门市部 商店 超市 工厂 总店 分店 合作社 协会 一家 这家 那家 "
    "某某 我们 客户 单位 朋友 自己 个人 个体 个体户 自由职业 无 暂无 没有 未知 不详 不知道 "
    "待定 待补充 保密 测试 其他 某个"
)

# What a place makes a name of: 中国移动, 青岛啤酒, 北京大学.
PUBLIC = (
    "移动 联通 电信 铁塔 石油 石化 电力 铁路 航空 银行 保险 证券 信托 钢铁 啤酒 港口 大学 医院 烟草"
)

# General words in Latin letters.
LATIN_GENERAL = (
    "a an and asia beijing china companies company consulting enterprise enterprises global "
    "group guangzhou holding holdings hong hongkong industrial industries industry "
    "international kong n na none of pacific personal self service services shanghai "
    "shenzhen solutions tech technologies technology test the trade trading unknown"
)

# Legal forms in Latin letters.
LATIN_LEGAL = (
    "ag bv co company corp corporation gmbh inc incorporated limited llc llp lp ltd plc pte "
    "pty sa srl"
)
