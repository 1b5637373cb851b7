# Sourced by the examples beside it: reports one event to the relay.
#
#   AGENT_RELAY_URL    where the relay is (default http://127.0.0.1:4850)
#   INTEGRATION_TOKEN  the token of this integration in AGENT_RELAY_INTEGRATIONS

# json_string TEXT: TEXT as a JSON string, quotes included.
json_string() {
  printf '%s' "$1" | LC_ALL=C awk '
    BEGIN { for (code = 1; code < 32; code++) escape[sprintf("%c", code)] = sprintf("\\u%04x", code); escape["\""] = "\\\""; escape["\\"] = "\\\\" }
    { if (NR > 1) out = out "\\n"; for (at = 1; at <= length($0); at++) { c = substr($0, at, 1); out = out (c in escape ? escape[c] : c) } }
    END { printf "\"%s\"", out }'
}

# post_event JSON: prints what the relay made of it; fails when the relay refuses.
post_event() {
  printf '%s' "$1" | curl --silent --show-error --fail-with-body --max-time 10 --retry 5 --retry-connrefused \
    --header "Authorization: Bearer ${INTEGRATION_TOKEN:?set INTEGRATION_TOKEN}" \
    --header 'Content-Type: application/json' --data-binary @- \
    "${AGENT_RELAY_URL:-http://127.0.0.1:4850}/api/integrations/events"
}
