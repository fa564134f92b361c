#!/usr/bin/env bash
# A real Apache Kafka for tests: one node, KRaft, loopback, from Maven jars.
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: kafka.sh start|stop|kill9|status|env|clean [--port P] [--dir D] [--version V] [--tv 1|2] [--secure]

  start    start the broker, wait until it answers, print its address; the first start
           copies the jars with Maven and formats the data directory
  stop     clean stop; data stay
  kill9    SIGKILL; data stay, "start" brings the broker back
  status   exit 0 when it runs, 3 when not
  env      print KAFKA_BROKERS=... and, with --secure, the other listeners
  clean    stop and delete the data

  --port P      21092; P+1 is the controller, P+2..P+4 SASL_SSL, SSL, SASL_PLAINTEXT with --secure
  --dir D       data directory (default: in the cache, by port)
  --version V   4.4.0; 4.1.0 and 3.9.1 work too
  --tv N        transaction.version, 2 (3.9 has only 1)
  --secure      TLS and SASL listeners; user sqlstream, password sqlstream-secret

The options of a data directory are fixed when it is made. Cache: SQLSTREAM_CACHE
(~/.cache/sqlstream). Needs Java 17, Maven for the first start, openssl for --secure.
SQLSTREAM_KAFKA_JVM replaces the JVM flag that keeps to the simple compiler; set it empty
for benchmarks.
USAGE
}

fail() { echo "kafka.sh: $*" >&2; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
cache=${SQLSTREAM_CACHE:-$HOME/.cache/sqlstream}
command=${1:-help}
shift || true
port=21092 dir='' version=4.4.0 tv='' secure=''
while [ $# -gt 0 ]; do
	case $1 in
	--secure) secure=1 ;;
	--port | --dir | --version | --tv)
		[ $# -ge 2 ] || fail "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	*) fail "unknown argument $1; see kafka.sh help" ;;
	esac
	shift
done
case $port in '' | *[!0-9]*) fail "--port $port is not a number" ;; esac
case $version in '' | *[!0-9.]*) fail "--version $version is not a version" ;; esac
dir=${dir:-$cache/kafka-run-$port}
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
config=$dir/server.properties
if [ -f "$dir/made-with" ]; then
	# shellcheck disable=SC1091
	. "$dir/made-with"
fi
if [ -z "$tv" ]; then case $version in 3.*) tv=1 ;; *) tv=2 ;; esac; fi
jars=$cache/kafka-$version

# The broker's pid, if the process of the pid file is alive and is this broker.
pid() {
	local p
	p=$(cat "$dir/pid" 2>/dev/null) || return 1
	ps -p "$p" -o command= 2>/dev/null | grep -qF -- "$config" || return 1
	echo "$p"
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# True once the broker lists itself: a Metadata v1 request for no topics, whose answer counts
# the brokers at byte 8. An open port alone comes too early.
answers() {
	# shellcheck disable=SC2016
	timeout 3 bash -c '
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
		printf "\0\0\0\016\0\003\0\001\0\0\0\001\377\377\0\0\0\0" >&3
		set -- $(head -c 12 <&3 | od -An -v -tu1)
		[ $# -eq 12 ] && [ "${12}" -ge 1 ]
	' _ "$port" 2>/dev/null
}

gone_within() {
	local tenths=$(($1 * 10))
	while pid >/dev/null; do
		[ $tenths -gt 0 ] || return 1
		tenths=$((tenths - 1))
		sleep 0.1
	done
}

install_jars() {
	[ -f "$jars/.complete" ] && return
	command -v mvn >/dev/null || fail "Maven is needed once, to copy the jars of Kafka $version"
	local tmp
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/.kafka.XXXXXX")
	cp "$here/pom.xml" "$tmp/"
	if ! mvn -q -B -f "$tmp/pom.xml" "-Dkafka.version=$version" dependency:copy-dependencies "-DoutputDirectory=$tmp/lib" >"$tmp/log" 2>&1; then
		tail -n 10 "$tmp/log" >&2
		rm -rf "$tmp"
		fail "Maven could not copy the jars of Kafka $version"
	fi
	touch "$tmp/lib/.complete"
	rm -rf "$jars"
	mv "$tmp/lib" "$jars"
	rm -rf "$tmp"
}

certificates() {
	command -v openssl >/dev/null || fail "--secure needs openssl"
	mkdir -p "$dir/tls"
	(
		cd "$dir/tls"
		openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -subj "/CN=test CA" \
			-addext "basicConstraints=critical,CA:TRUE" -keyout ca.key -out ca.crt
		for name in broker client; do
			openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr
			printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >ext
			openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -sha256 -extfile ext -out $name.crt
		done
		cat broker.key broker.crt ca.crt >broker.pem
		chmod 600 ./*.key broker.pem
	) >"$dir/tls.log" 2>&1 || { tail -n 5 "$dir/tls.log" >&2; fail "openssl could not make the certificates"; }
}

write_config() {
	local listeners=PLAINTEXT://127.0.0.1:$port
	[ -z "$secure" ] || listeners+=,SASL_SSL://127.0.0.1:$((port + 2)),SSL://127.0.0.1:$((port + 3)),SASL_PLAINTEXT://127.0.0.1:$((port + 4))
	cat >"$config" <<CONF
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
listeners=$listeners,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=$listeners
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
# one broker
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
# short timers make tests fast; the session has to outlive a busy machine
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
controlled.shutdown.max.retries=1
log.initial.task.delay.ms=1000
file.delete.delay.ms=1000
# small: the cleaner alone would take 128 MB
log.cleaner.dedupe.buffer.size=8388608
log.cleaner.threads=1
num.network.threads=2
num.io.threads=4
log.index.size.max.bytes=1048576
CONF
	[ -n "$secure" ] || return 0
	cat >>"$config" <<CONF
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location=$dir/tls/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$dir/tls/ca.crt
listener.name.ssl.ssl.client.auth=required
CONF
	local l m
	for l in sasl_ssl sasl_plaintext; do
		echo "listener.name.$l.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_sqlstream=\"sqlstream-secret\";" >>"$config"
		for m in scram-sha-256 scram-sha-512; do
			echo "listener.name.$l.$m.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;" >>"$config"
		done
	done
}

make() {
	local id extra=()
	mkdir -p "$dir"
	[ -z "$secure" ] || certificates
	write_config
	case $version:$tv in
	3.*:1) ;;
	3.*) fail "Kafka $version knows transaction.version 1 only" ;;
	*:1 | *:2) extra+=(--feature "transaction.version=$tv") ;;
	*) fail "--tv must be 1 or 2" ;;
	esac
	if [ -n "$secure" ]; then
		for m in SCRAM-SHA-256 SCRAM-SHA-512; do extra+=(--add-scram "$m=[name=sqlstream,password=sqlstream-secret]"); done
	fi
	id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AA' | cut -c1-22)
	java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" kafka.tools.StorageTool format \
		-t "$id" -c "$config" ${extra[@]+"${extra[@]}"} >"$dir/format.log" 2>&1 || { tail -n 5 "$dir/format.log" >&2; fail "the data directory could not be formatted"; }
	printf 'port=%s\nversion=%s\ntv=%s\nsecure=%s\n' "$port" "$version" "$tv" "$secure" >"$dir/made-with"
}

start() {
	command -v java >/dev/null || fail "no java in PATH; Kafka needs Java 17"
	install_jars
	[ -f "$dir/made-with" ] || make
	if ! pid >/dev/null; then
		local i
		# A broker just killed may hold its port for a moment.
		for i in 1 2 3 4 5 6 7 8 9 10; do open_port "$port" || break; sleep 0.5; done
		if open_port "$port"; then fail "port $port is taken"; fi
		# Its own session: a Ctrl-C at the tests does not reach it. The pid stays through exec.
		(
			cd "$dir"
			# shellcheck disable=SC2086
			exec setsid java ${SQLSTREAM_KAFKA_JVM--XX:TieredStopAtLevel=1} -Xms64m -Xmx384m -XX:+UseSerialGC -XX:-UsePerfData \
				-Djava.net.preferIPv4Stack=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*" kafka.Kafka "$config"
		) </dev/null >>"$dir/log" 2>&1 &
		echo $! >"$dir/pid"
	fi
	local end=$((SECONDS + 120)) child
	child=$(cat "$dir/pid")
	until answers; do
		kill -0 "$child" 2>/dev/null || { tail -n 10 "$dir/log" >&2; fail "the broker ended while starting"; }
		[ $SECONDS -lt $end ] || fail "the broker does not answer; see $dir/log"
		sleep 0.2
	done
	echo "127.0.0.1:$port"
}

end_with() {
	local p
	p=$(pid) || return 0
	kill "-$1" "$p" 2>/dev/null || true
	gone_within 20 && return
	kill -KILL "$p" 2>/dev/null || true
	gone_within 5 || fail "the broker does not end"
}

case $command in
start) start ;;
stop) end_with TERM ;;
kill9) end_with KILL ;;
status) if p=$(pid); then echo "pid $p, 127.0.0.1:$port, Kafka $version, transaction.version $tv"; else echo "not running"; exit 3; fi ;;
env)
	echo "KAFKA_BROKERS=127.0.0.1:$port"
	if [ -n "$secure" ]; then
		printf 'KAFKA_SASL_SSL=127.0.0.1:%s\nKAFKA_SSL=127.0.0.1:%s\nKAFKA_SASL_PLAINTEXT=127.0.0.1:%s\nKAFKA_TLS_DIR=%s\n' $((port + 2)) $((port + 3)) $((port + 4)) "$dir/tls"
	fi ;;
clean)
	end_with TERM
	# Only what this script made.
	if [ -f "$dir/made-with" ]; then rm -rf "$dir"; fi ;;
help | -h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
