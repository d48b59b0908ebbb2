export const style = /* css */ `
:root {
  color-scheme: light dark;
  --page: #f4f5f9;
  --card: #ffffff;
  --text: #1b1d2a;
  --muted: #5d6275;
  --line: #e3e5ee;
  --field: #858ba1;
  --accent: #4f46e5;
  --on-accent: #ffffff;
  --soft: #eeedfd;
  --danger: #b3261e;
  --danger-soft: #fdeceb;
  --good: #0f6b46;
  --good-soft: #e3f5ec;
  --news: #fff3cf;
  --shadow: 0 1px 2px rgb(20 22 50 / 6%), 0 12px 32px -12px rgb(20 22 50 / 14%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1119;
    --card: #181b27;
    --text: #eceef6;
    --muted: #a0a6bb;
    --line: #2a2e3f;
    --field: #737a98;
    --accent: #a5a0ff;
    --on-accent: #14122f;
    --soft: #26264a;
    --danger: #ff9d94;
    --danger-soft: #3a1f22;
    --good: #7fdcb0;
    --good-soft: #15322a;
  --news: #3b3216;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  max-width: 51rem;
  min-height: 100vh;
  min-height: 100dvh;
  padding: 0 1.25rem;
  display: flex;
  flex-direction: column;
  background: var(--page);
  color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
body.wide { max-width: 82rem; }
a { color: var(--accent); text-underline-offset: .2em; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .86em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; padding: 1.25rem 0; }
.brand { display: flex; align-items: center; gap: .6rem; color: inherit; font-weight: 650; text-decoration: none; border-radius: .5rem; }
.brand img { display: block; }
nav { display: flex; align-items: center; gap: .25rem; }
nav a, nav button.quiet { padding: .45rem .75rem; border: 0; border-radius: .6rem; background: none; color: var(--muted); font-weight: 500; text-decoration: none; }
nav a:hover, nav button.quiet:hover { background: var(--line); color: var(--text); }

.columns { flex: 1; display: grid; grid-template-columns: minmax(0, 1fr); align-items: start; gap: 1.5rem 2rem; padding: 1rem 0 2rem; }
@media (min-width: 62rem) {
  .wide .columns { grid-template-columns: minmax(0, 1fr) 26rem; }
  .wide aside { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; }
}
footer { padding: 0 0 1.5rem; color: var(--muted); font-size: .875rem; text-align: center; }
footer p { display: inline-block; margin: 0; padding: .3rem .85rem; border: 1px solid var(--line); border-radius: 2rem; }
footer p::before { content: ""; display: inline-block; margin: 0 .55rem .05rem 0; width: .5rem; height: .5rem; border-radius: 50%; background: var(--accent); }
footer strong { color: var(--text); }

.card { padding: 1.75rem; border: 1px solid var(--line); border-radius: 1.1rem; background: var(--card); box-shadow: var(--shadow); }
.narrow { max-width: 25rem; margin: 6vh auto 0; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; letter-spacing: -.015em; }
.lead { margin: .35rem 0 0; color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.lead strong { color: var(--text); }
.aside { margin: 1.25rem 0 0; color: var(--muted); font-size: .95rem; }
.alert, .flash { margin: 0; padding: .7rem .9rem; border-radius: .7rem; font-weight: 500; }
.alert { background: var(--danger-soft); color: var(--danger); }
.flash { margin-bottom: 1rem; background: var(--good-soft); color: var(--good); }

.narrow form { display: grid; gap: 1.1rem; margin-top: 1.4rem; }
label { display: grid; grid-template-columns: 1fr auto; align-items: baseline; gap: .35rem; font-weight: 550; }
label small { color: var(--muted); font-weight: 400; }
label input { grid-column: 1 / -1; width: 100%; padding: .65rem .8rem; border: 1px solid var(--field); border-radius: .7rem; background: var(--page); color: inherit; font: inherit; font-weight: 400; }
.check { display: flex; align-items: center; gap: .6rem; font-weight: 400; }
.check input { width: 1.15rem; height: 1.15rem; margin: 0; accent-color: var(--accent); }

button, .button { padding: .5rem .9rem; border: 1px solid var(--line); border-radius: .7rem; background: var(--card); color: inherit; font: inherit; font-weight: 500; text-align: center; text-decoration: none; white-space: nowrap; cursor: pointer; }
button:hover, .button:hover { border-color: var(--field); background: var(--page); }
.primary { font-weight: 600; padding: .7rem 1rem; border-color: transparent; background: var(--accent); color: var(--on-accent); }
.primary:hover { border-color: transparent; background: color-mix(in srgb, var(--accent) 88%, black); }
.danger { font-weight: 600; border-color: transparent; background: var(--danger-soft); color: var(--danger); }
.danger:hover { border-color: var(--danger); background: var(--danger-soft); }

.devices { margin: 1.25rem 0 0; padding: 0; list-style: none; }
.devices li { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: .75rem 1rem; padding: 1rem 0; border-top: 1px solid var(--line); }
.devices svg { width: 2.75rem; height: 2.75rem; padding: .6rem; border-radius: .8rem; background: var(--page); fill: none; stroke: var(--muted); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.devices .here svg { background: var(--soft); stroke: var(--accent); }
.devices + .aside { margin: .25rem 0 1.25rem; }
h2 { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .6rem; margin: 0; font-size: 1.05rem; line-height: 1.4; }
.badge { padding: .1rem .55rem; border-radius: 1rem; background: var(--soft); color: var(--accent); font-size: .8rem; font-weight: 600; }
dl { display: flex; flex-wrap: wrap; gap: 0 1.1rem; margin: .15rem 0 0; color: var(--muted); font-size: .875rem; }
dl div { display: flex; gap: .3em; }
dd { margin: 0; overflow-wrap: anywhere; }
.guide { margin: 1rem 0 0; padding: .7rem .9rem; border-radius: .7rem; background: var(--soft); }
.actions { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .6rem 1rem; margin: 0; padding: 1.25rem 0 0; border-top: 1px solid var(--line); list-style: none; }
.actions li { display: contents; }
.actions button, .actions .button { display: block; width: 100%; line-height: 1.5; }
.actions code { align-self: center; color: var(--muted); overflow-wrap: anywhere; }

aside { padding: 1.25rem; border: 1px solid var(--line); border-radius: 1.1rem; background: var(--card); font-size: .875rem; }
aside p { margin: .5rem 0; color: var(--muted); }
aside p.alert { color: var(--danger); }
aside p strong { color: var(--text); }
aside details { margin: .6rem 0; border: 1px solid var(--line); border-radius: .7rem; overflow: hidden; }
aside summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
aside summary:focus-visible { outline-offset: -3px; }
aside summary code, aside summary small { display: block; }
aside small { color: var(--muted); font-size: .8125rem; }
aside table { width: 100%; border-collapse: collapse; }
aside th, aside td { padding: .25rem .75rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
aside th { width: 1%; padding-right: 0; white-space: nowrap; color: var(--muted); }
aside td small { display: block; }
aside td small:empty { display: none; }
aside .new summary, aside .changed { background: var(--news); }
aside .gone summary { background: var(--danger-soft); }
aside .gone code { text-decoration: line-through; }
aside em { color: var(--danger); font-style: normal; font-weight: 600; }
@media (prefers-reduced-motion: no-preference) {
  aside .new, aside .gone { animation: appear .4s ease-out; }
  @keyframes appear { from { opacity: .3; } }
}

@media (max-width: 36rem) {
  body { padding: 0 1rem; }
  header { padding: 1rem 0 0; }
  header:has(nav) .brand span { display: none; }
  nav { margin-right: -.55rem; }
  nav a, nav button.quiet { padding: .45rem .55rem; }
  .card { padding: 1.25rem; }
  .narrow { margin-top: 0; }
  .devices li { grid-template-columns: 2.25rem 1fr auto; gap: 0 .75rem; }
  .devices li > div { display: contents; }
  .devices svg { grid-row: 1 / 3; align-self: start; width: 2.25rem; height: 2.25rem; padding: .45rem; border-radius: .65rem; }
  h2 { grid-column: 2 / -1; }
  dl { display: block; grid-area: 2 / 2 / 3 / -1; }
  .devices form { grid-area: 2 / 3; align-self: end; }
  .devices button { padding: .35rem .7rem; font-size: .875rem; }
  .actions { grid-template-columns: minmax(0, 1fr); gap: .25rem; }
  .actions code { margin-bottom: .6rem; text-align: center; }
  aside { padding: 1rem; }
}
`;
