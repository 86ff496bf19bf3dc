// Conditions of a mute, as the API reads them.

import { me } from "./me.js";

const PLAIN = /^[^\s{}!=~,"\\'`]+$/;

/** Return the condition that a label has just this value. */
export function equals(label, value) {
  const name = PLAIN.test(label) ? label : quoted(label);
  return `${name}=${quoted(value)}`;
}

function quoted(text) {
  const inner = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
  return `"${inner}"`;
}

/**
 * Return what keeps a mute to a team: who is kept to teams may mute nothing
 * else. For all others it would let through what names no team.
 */
export function ofTeam(team) {
  return me.teams.length && me.team_label && team
    ? [equals(me.team_label, team)] : [];
}
