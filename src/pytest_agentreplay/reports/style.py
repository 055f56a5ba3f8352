"""The look of the HTML report: light and dark, narrow and wide, on paper. Nothing here knows what is shown."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0; --code: #eef1f4;
  --bad: #a40e26; --bad-back: #ffebe9; --good: #116329; --good-back: #dafbe1; --held: #6639ba; --held-back: #f1e8ff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #171c23; --ink: #e6eaef; --soft: #a3adb8; --line: #323a44; --code: #222932;
    --bad: #ff9a94; --bad-back: #3d1518; --good: #6fdd8b; --good-back: #12301b; --held: #cfb4ff; --held-back: #2c2044;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; display: inline; overflow-wrap: anywhere; }
h4 { font-size: .95rem; margin: 1.2rem 0 .4rem; }
p { margin: .3rem 0; }
code, pre { font: .84rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
code { background: var(--code); border-radius: 4px; padding: .1em .3em; }
pre { background: var(--code); border-radius: 6px; padding: .5rem .6rem; margin: 0; white-space: pre-wrap; }
dl, dd { margin: 0; }
summary { cursor: pointer; }
:focus-visible { outline: 2px solid var(--held); outline-offset: 2px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; }
.tiles div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { font-size: 1.6rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .bad { border-color: var(--bad); background: var(--bad-back); }
.tiles .bad dd { color: var(--bad); }
.prevented { margin-top: .8rem; color: var(--soft); }
.trace { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--good); border-radius: 8px;
  margin: .6rem 0; padding: .7rem 1rem; }
.trace.failed { border-left-color: var(--bad); }
.meta, .remark { color: var(--soft); font-size: .88rem; }
.trace > summary .meta { display: block; margin: .2rem 0 0 1rem; overflow-wrap: anywhere; }
.badge { display: inline-block; border-radius: 999px; padding: .05rem .6rem; margin-right: .4rem; font-size: .8rem;
  font-weight: 600; border: 1px solid currentcolor; color: var(--soft); }
.meta + .badge { margin-left: .6rem; }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.withheld { color: var(--held); background: var(--held-back); }
.divergence { background: var(--bad-back); border-radius: 8px; padding: .7rem .9rem; margin: .8rem 0; }
.divergence h4 { margin: 0 0 .2rem; color: var(--bad); font-size: 1.02rem; overflow-wrap: anywhere; }
.divergence p { overflow-wrap: anywhere; }
.divergence .values { margin-top: .6rem; }
.differences { margin: .6rem 0; padding-left: 1.2rem; }
.trace > details { margin: .6rem 0; }
.trace > details > summary { color: var(--soft); }
.steps { list-style: none; margin: 0; padding: 0; counter-reset: step; }
.steps > li { counter-increment: step; border-top: 1px solid var(--line); position: relative;
  padding: .6rem 0 .6rem 2.2rem; }
.steps > li::before { content: counter(step); position: absolute; left: .3rem; color: var(--soft); font-size: .85rem; }
.steps > li.parted { background: var(--bad-back); border-radius: 6px; }
.head { margin: 0 0 .35rem; }
.head > code { font-weight: 600; background: none; padding: 0; margin-right: .4rem; }
.values { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: .5rem 1rem; }
.values dt { color: var(--soft); font-size: .8rem; }
.values div { min-width: 0; }
@media (max-width: 30rem) {
  main { padding: 1rem .6rem 3rem; }
  .trace { padding: .6rem .7rem; }
  .steps > li { padding-left: 1.6rem; }
  .steps > li::before { left: 0; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #999; --code: #f2f2f2; --bad: #8a0018;
    --bad-back: #fff; --good: #0b4d1e; --good-back: #fff; --held: #4b2490; --held-back: #fff; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .trace, .steps > li { break-inside: avoid-page; }
  main { max-width: none; padding: 0; }
}
"""
