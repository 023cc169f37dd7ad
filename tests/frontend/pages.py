"""Every page of the frontend."""

ANY_TORRENT = "{info_hash}"
LONG_NAME = "long " * 2000
HOSTILE_NAMES = (
    "<script>document.title = 'broken'</script><img src=x onerror=alert(1)>",
    LONG_NAME,
    "invoice\u202egpj.exe",
    "مكتبة الكتب المفتوحة",
    "zero\u200bwidth\ufeff",
)

PUBLIC_PAGES = (
    "/",
    "/?span=month",
    "/infohashes",
    "/infohashes?q=nothing-is-called-so",
    f"/infohashes/{ANY_TORRENT}",
    "/infohashes/" + "0" * 40,
    "/standing",
    "/b/nobody",
    "/nowhere",
)
OPERATOR_PAGES = (
    "/operator/upload",
    "/operator/infohashes",
    "/operator/keys",
    "/operator/bans",
    "/operator/anomalies",
    "/operator/anomalies?state=confirmed",
    "/operator/clients",
    "/operator/swarms",
    f"/operator/swarms/{ANY_TORRENT}",
    "/operator/prefixes",
    "/operator/prefixes?hour=current",
    "/operator/operators",
    "/operator/settings",
    "/operator/audit",
    "/operator/system",
)
