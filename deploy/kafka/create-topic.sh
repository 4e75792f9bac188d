#!/usr/bin/env bash
# Makes a topic of Penstock's with the settings of its kind, three replicas, one in each zone.
#
#   deploy/kafka/create-topic.sh NAME KIND PARTITIONS
#
#   KIND       events, dead-letters, changelog or output: a file of deploy/kafka/topics
#   BOOTSTRAP  brokers, host:port with commas            (environment)
#   ADMIN      properties file that lets a super user in (environment)
#
# Kafka's bin folder must be in PATH. A topic that exists stays as it is.
set -euo pipefail
topics="$(dirname "${BASH_SOURCE[0]}")/topics"
if [[ $# -ne 3 || ! -e $topics/${2:-}.properties ]]; then
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
settings=()
while IFS= read -r line; do
  [[ -z $line || $line == '#'* ]] || settings+=(--config "$line")
done <"$topics/$2.properties"
kafka-topics.sh --bootstrap-server "${BOOTSTRAP:?}" --command-config "${ADMIN:?}" --create --if-not-exists \
  --topic "$1" --partitions "$3" --replication-factor 3 "${settings[@]}"
