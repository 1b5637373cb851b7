#!/bin/sh
# Hands a support ticket to the agents that can answer it: a JSON ticket on standard input, as a help desk's automation sends it.
#
#   { "id": 4711, "subject": "…", "description": "…", "priority": "high", "status": "open", "requester": "…", "url": "https://…" }
#
# A ticket with status solved or closed resolves its task. TICKET_TARGET (default cap:support), TICKET_CHANNEL; needs jq.
set -eu
. "$(dirname "$0")/post-event.sh"

event=$(jq --compact-output --arg target "${TICKET_TARGET:-cap:support}" --arg channel "${TICKET_CHANNEL:-}" '
# Two tickets never share a task because both lack a number.
if .id == null then error("the ticket has no id") else . end | {
  type: "ticket",
  status: (if .status == "solved" or .status == "closed" then "resolved" else "open" end),
  severity: (if .priority | type == "string" and . != "" then .priority[:64] else "normal" end),
  dedupeKey: "ticket:\(.id)",
  title: ("Ticket #\(.id): \(.subject // "no subject")" | gsub("[[:cntrl:]]+"; " ") | .[:256]),
  body: ((.description // "") | tostring | .[:60000]),
  target: $target,
  metadata: { requester: (.requester // null) }
} + (if .url | type == "string" and test("^https?://") then { externalUrl: .url } else {} end) + (if $channel == "" then {} else { channel: $channel } end)')
post_event "$event"
