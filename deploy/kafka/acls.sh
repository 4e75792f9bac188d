#!/usr/bin/env bash
# Gives each role of Penstock the rights that it needs, and no other. Safe to run again.
#
#   deploy/kafka/acls.sh [ROLE...]       default: gateway streams sinks console
#
#   BOOTSTRAP  brokers, host:port with commas                         (environment)
#   ADMIN      properties file that lets a super user in              (environment)
#   PREFIX     what the names of topics, groups and transactional ids begin with; default: penstock.
#
# A role's user has the role's name. Kafka's bin folder must be in PATH.
set -euo pipefail
prefix="${PREFIX:-penstock.}"

# User, then what is allowed, on resources that begin with the prefix.
allow() {
  local user="$1"
  shift
  kafka-acls.sh --bootstrap-server "${BOOTSTRAP:?}" --command-config "${ADMIN:?}" --add --force \
    --allow-principal "User:$user" --resource-pattern-type prefixed "$@"
}

# Kafka knows no suffixes, so events, dead letters, changelogs and outputs share their rights.
topics() {
  local user="$1" operation arguments=()
  shift
  for operation in "$@"; do
    arguments+=(--operation "$operation")
  done
  allow "$user" --topic "$prefix" "${arguments[@]}"
}

[[ $# -gt 0 ]] || set -- gateway streams sinks console
for role in "$@"; do
  case "$role" in
    gateway)
      # Writes events and dead letters, makes their topics and keeps their retention as configured; reads
      # them back at its start, to know the ids that it has accepted.
      topics gateway Write Read Describe Create DescribeConfigs AlterConfigs
      # What waited in its spill while Kafka was away comes in transactions.
      allow gateway --transactional-id "${prefix}penstock-spill-" --operation Write --operation Describe
      ;;
    streams)
      # Consumes, produces and commits in one transaction; makes changelogs and outputs. Delete is for
      # repartition records that were read.
      topics streams Read Write Describe Create Delete DescribeConfigs AlterConfigs
      allow streams --group "$prefix" --operation Read --operation Describe
      allow streams --transactional-id "$prefix" --operation Write --operation Describe
      ;;
    sinks)
      # Reads, and keeps its progress in a group or beside what it writes.
      topics sinks Read Describe
      allow sinks --group "$prefix" --operation Read --operation Describe
      ;;
    console)
      # Looks at everything and changes nothing.
      topics console Read Describe DescribeConfigs
      allow console --group "$prefix" --operation Describe
      ;;
    *)
      echo "acls.sh: there is no role \"$role\": gateway, streams, sinks or console" >&2
      exit 2
      ;;
  esac
done
