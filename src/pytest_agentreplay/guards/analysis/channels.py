"""Channels: services that take whatever anybody sends them, as data; where data leaves unseen.

Nothing here knows of calls.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pytest_agentreplay.redaction.keys import words

_CATCHERS: Final = (
    "webhook.site webhook.cool webhookinbox.com requestbin.com requestbin.net requestbin.io hookbin.com hookb.in"
    " beeceptor.com"
    " requestcatcher.com pipedream.net mockbin.org mockbin.io postb.in putsreq.com typedwebhook.tools"
    " requestinspector.com smee.io"
    " play.svix.com hkdk.events hookpost.dev mocky.io mockable.io webhook.win ntfy.sh pingb.in jsonbin.io kvdb.io"
    " npoint.io webhook-test.com ptsv2.com ptsv3.com httpdump.app hookdeck.com webhookrelay.com"
)
_OUT_OF_BAND: Final = (
    "interact.sh interactsh.com oast.pro oast.live oast.site oast.online oast.fun oast.me oastify.com"
    " burpcollaborator.net dnslog.cn dnslog.link"
    " ceye.io canarytokens.com canarytokens.org canarytokens.net bxss.me bxss.in xss.ht xsshunter.com xss.report"
    " eyes.sh dnsbin.zhack.ca requestrepo.com"
    " log4shell.huntress.com grabify.link iplogger.org iplogger.com iplogger.co 2no.co yip.su blasze.com ps3cfw.com"
)
_TUNNELS: Final = (
    "ngrok.io ngrok.app ngrok.dev ngrok-free.app ngrok-free.dev ngrok.com trycloudflare.com loca.lt localtunnel.me"
    " serveo.net localhost.run lhr.life"
    " lhrtunnel.link pagekite.me bore.pub telebit.io telebit.cloud tunnelto.dev packetriot.net playit.gg pinggy.io"
    " pinggy.link zrok.io devtunnels.ms"
)
_PASTES: Final = (
    "pastebin.com paste.ee hastebin.com hastebin.skyra.pw dpaste.com dpaste.org ghostbin.com ghostbin.co rentry.co"
    " rentry.org termbin.com ix.io 0x0.st"
    " sprunge.us clbin.com paste.rs paste.c-net.org pastes.dev paste.mozilla.org controlc.com justpaste.it p.ip.fi"
    " privatebin.net paste2.org textbin.net paste.gg paste.debian.net pastebin.pl bpa.st 0bin.net"
)
_DROPS: Final = (
    "transfer.sh file.io gofile.io anonfiles.com bayfiles.com temp.sh bashupload.com catbox.moe litterbox.catbox.moe"
    " tmpfiles.org uguu.se sendspace.com"
    " filebin.net put.re x0.at oshi.at keep.sh mega.nz mega.io wetransfer.com we.tl workupload.com pixeldrain.com"
    " send.vis.ee transfer.archivete.am"
    " tempfile.org filepost.io easyupload.io ufile.io file.pizza wormhole.app fileditch.com pomf.lain.la qu.ax"
    " krakenfiles.com filetransfer.io tmp.ninja dropmefiles.com"
)
_KINDS: Final = {
    **dict.fromkeys(_CATCHERS.split(), "a catcher of requests"),
    **dict.fromkeys(_OUT_OF_BAND.split(), "a log of out-of-band requests"),
    **dict.fromkeys(_TUNNELS.split(), "a tunnel to somebody's own machine"),
    **dict.fromkeys(_PASTES.split(), "a public paste"),
    **dict.fromkeys(_DROPS.split(), "an anonymous file drop"),
}
_NOT_CHANNELS: Final = words(
    "ngrok.com www.ngrok.com dashboard.ngrok.com docs.ngrok.com bin.equinox.io hookdeck.com docs.pipedream.com"
    " docs.webhook.site www.postman.com mega.io"
)
_WITH_PATHS: Final = (
    (
        re.compile(r"(?:(?:ptb|canary)\.)?discord(?:app)?\.com"),
        re.compile(r"/+api/+(?:v\d+/+)?webhooks/"),
        "a Discord webhook",
    ),
    (re.compile(r"hooks\.slack(?:-gov)?\.com"), re.compile(r"/+(?:services|workflows|triggers)/"), "a Slack webhook"),
    (re.compile(r"hooks\.zapier\.com"), re.compile(r"/+hooks/"), "a Zapier hook"),
    (re.compile(r"hook\.(?:[a-z0-9]+\.)?(?:make|integromat)\.com"), re.compile(r"/"), "a Make hook"),
    (re.compile(r"maker\.ifttt\.com"), re.compile(r"/+(?:trigger|use)/"), "an IFTTT hook"),
    (re.compile(r"(?:outlook\.office\.com|[\w-]+\.webhook\.office\.com)"), re.compile(r"/+webhook"), "a Teams webhook"),
    (re.compile(r"chat\.googleapis\.com"), re.compile(r"/+v1/+spaces/"), "a Google Chat webhook"),
    (re.compile(r"www\.toptal\.com"), re.compile(r"/+developers/+(?:postbin|hastebin)\b"), "a public paste"),
    (re.compile(r"(?:www\.)?hookdeck\.com"), re.compile(r"/+(?!docs|blog|pricing|$)"), "a catcher of requests"),
    (re.compile(r"api\.telegram\.org"), re.compile(r"/+(?:file/+)?bot\d*"), "a Telegram bot"),
    (re.compile(r"script\.google(?:usercontent)?\.com"), re.compile(r"/+macros/"), "somebody's Apps Script"),
    (re.compile(r"(?:docs|forms)\.google\.com"), re.compile(r"/+forms/.*formResponse"), "somebody's form"),
)


SCREEN: Final = "(?i)" + "|".join(
    [re.escape(host) for host in _KINDS]
    + ["discord", "telegram", "google", "slack", "zapier", "hook", "ifttt", "toptal"]
)
"""Matches every text in which a channel may be."""


@lru_cache(maxsize=4096)
def channel_kind(host: str, path: str) -> str | None:
    """Name what a channel is; None for any other host."""
    if host in _NOT_CHANNELS:
        return None
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if kind := _KINDS.get(".".join(labels[start:])):
            return kind
    return next((kind for hosts, paths, kind in _WITH_PATHS if hosts.fullmatch(host) and paths.match(path)), None)
