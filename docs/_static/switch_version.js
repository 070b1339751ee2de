// Links the same page of the other versions, which docs/_ext/versions.py has listed; a page that one lacks is its first page.
{
  const { root, versions } = window.REDCORE_VERSIONS ?? { versions: [] };
  const menu = document.querySelector("nav.versions");
  const here = new URL(document.documentElement.dataset.content_root, location.href);
  const page = new URL(location.href).pathname.slice(here.pathname.length) || "index.html";
  for (const { name, folder, pages } of versions) {
    const link = document.createElement("a");
    const base = new URL(root + folder, here);
    link.href = new URL(pages.includes(page) ? page : "index.html", base).href;
    link.textContent = folder ? name : `${name} (newest)`;
    if (base.href === here.href) link.setAttribute("aria-current", "page");
    menu.querySelector("ul").appendChild(document.createElement("li")).appendChild(link);
  }
  menu.hidden = versions.length < 2;
}
