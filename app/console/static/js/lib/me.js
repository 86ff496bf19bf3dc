// Who looks at this page.

const meta = document.querySelector('meta[name="smokejumper"]');
/** Who, and where: name, role, teams, sight, way ... */
export const me = JSON.parse(meta.content);
