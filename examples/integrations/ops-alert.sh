#!/bin/sh
# Raises an alert from any script or cron job, and resolves it again.
#
#   ops-alert.sh KEY TITLE [BODY]     the same KEY joins the alert that is active
#   ops-alert.sh --resolve KEY TITLE
#
# ALERT_TARGET (default cap:ops), ALERT_CHANNEL, ALERT_SEVERITY (default warning); see post-event.sh for the rest.
set -eu
. "$(dirname "$0")/post-event.sh"

status=open
if [ "${1:-}" = --resolve ]; then
  status=resolved
  shift
fi
key=${1:?usage: ops-alert.sh [--resolve] KEY TITLE [BODY]}
title=${2:?usage: ops-alert.sh [--resolve] KEY TITLE [BODY]}
body=${3:-}

event="{\"type\":\"alarm\",\"status\":\"$status\",\"dedupeKey\":$(json_string "$key"),\"title\":$(json_string "$title")"
event="$event,\"severity\":$(json_string "${ALERT_SEVERITY:-warning}"),\"target\":$(json_string "${ALERT_TARGET:-cap:ops}")"
[ -z "$body" ] || event="$event,\"body\":$(json_string "$body")"
[ -z "${ALERT_CHANNEL:-}" ] || event="$event,\"channel\":$(json_string "$ALERT_CHANNEL")"
event="$event,\"metadata\":{\"host\":$(json_string "$(hostname)")}}"
post_event "$event"
