#!/usr/bin/env bash
# A real S3 server for tests: versitygw over a directory, loopback, built by go.
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: s3.sh start|stop|kill9|status|env|clean [--port P] [--dir D] [--version V]

  start    start the server, wait until it answers, print its address; the first start builds it
  stop     clean stop; data stay
  kill9    SIGKILL; data stay, "start" brings the server back
  status   exit 0 when it runs, 3 when not
  env      print what tests need: S3_ENDPOINT, S3_BUCKET, keys
  clean    stop and delete the data

  --port P      21110
  --dir D       data directory (default: in the cache, by port)
  --version V   of versitygw: 1.8.0

Cache: SQLSTREAM_CACHE (~/.cache/sqlstream). Needs go.
USAGE
}

fail() { echo "s3.sh: $*" >&2; exit 1; }

cache=${SQLSTREAM_CACHE:-$HOME/.cache/sqlstream}
command=${1:-help}
shift || true
port=21110 dir='' version=1.8.0
while [ $# -gt 0 ]; do
	case $1 in
	--port | --dir | --version)
		[ $# -ge 2 ] || fail "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	*) fail "unknown argument $1; see s3.sh help" ;;
	esac
	shift
done
case $port in '' | *[!0-9]*) fail "--port $port is not a number" ;; esac
case $version in '' | *[!0-9.]*) fail "--version $version is not a version" ;; esac
dir=${dir:-$cache/s3-run-$port}
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
bin=$cache/versitygw-$version/versitygw
bucket=sqlstream key=test secret=testsecret region=us-east-1

# The server's pid, if the process of the pid file is alive and is this server.
pid() {
	local p
	p=$(cat "$dir/pid" 2>/dev/null) || return 1
	ps -p "$p" -o command= 2>/dev/null | grep -qF -- "$dir/data" || return 1
	echo "$p"
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

gone_within() {
	local tenths=$(($1 * 10))
	while pid >/dev/null; do
		[ $tenths -gt 0 ] || return 1
		tenths=$((tenths - 1))
		sleep 0.1
	done
}

install() {
	[ -x "$bin" ] && return
	command -v go >/dev/null || fail "go is needed once, to build versitygw $version"
	local tmp
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/.versitygw.XXXXXX")
	if ! (cd "$tmp" && GOBIN=$tmp/bin CGO_ENABLED=0 go install "github.com/versity/versitygw/cmd/versitygw@v$version") >"$tmp/log" 2>&1; then
		tail -n 10 "$tmp/log" >&2
		rm -rf "$tmp"
		fail "go could not build versitygw $version"
	fi
	rm -rf "$(dirname "$bin")"
	mv "$tmp/bin" "$(dirname "$bin")"
	rm -rf "$tmp"
}

start() {
	install
	# A bucket is a directory.
	mkdir -p "$dir/data/$bucket" "$dir/meta"
	touch "$dir/made"
	if ! pid >/dev/null; then
		local i
		# A server just killed may hold its port for a moment.
		for i in 1 2 3 4 5 6 7 8 9 10; do open_port "$port" || break; sleep 0.5; done
		if open_port "$port"; then fail "port $port is taken"; fi
		# Its own session: a Ctrl-C at the tests does not reach it. The pid stays through exec.
		(
			cd "$dir"
			ROOT_ACCESS_KEY=$key ROOT_SECRET_KEY=$secret exec setsid "$bin" --port "127.0.0.1:$port" --region "$region" --quiet \
				posix --sidecar "$dir/meta" "$dir/data"
		) </dev/null >>"$dir/log" 2>&1 &
		echo $! >"$dir/pid"
	fi
	local end=$((SECONDS + 60)) child
	child=$(cat "$dir/pid")
	until open_port "$port"; do
		kill -0 "$child" 2>/dev/null || { tail -n 10 "$dir/log" >&2; fail "the server ended while starting"; }
		[ $SECONDS -lt $end ] || fail "the server does not answer; see $dir/log"
		sleep 0.2
	done
	echo "http://127.0.0.1:$port"
}

end_with() {
	local p
	p=$(pid) || return 0
	kill "-$1" "$p" 2>/dev/null || true
	gone_within 10 && return
	kill -KILL "$p" 2>/dev/null || true
	gone_within 5 || fail "the server does not end"
}

case $command in
start) start ;;
stop) end_with TERM ;;
kill9) end_with KILL ;;
status) if p=$(pid); then echo "pid $p, http://127.0.0.1:$port, versitygw $version"; else echo "not running"; exit 3; fi ;;
env) printf 'S3_ENDPOINT=http://127.0.0.1:%s\nS3_BUCKET=%s\nAWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\nAWS_REGION=%s\n' "$port" "$bucket" "$key" "$secret" "$region" ;;
clean)
	end_with TERM
	# Only what this script made.
	if [ -f "$dir/made" ]; then rm -rf "$dir"; fi ;;
help | -h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
