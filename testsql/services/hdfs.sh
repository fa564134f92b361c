#!/usr/bin/env bash
# A real HDFS for tests: one name node and one data node, loopback, from Maven jars.
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: hdfs.sh start|stop|kill9|status|env|clean [name|data] [--port P] [--dir D] [--version V]

  start    start both nodes, wait until files can be written, print the address; the first start
           copies the jars with Maven and formats the name node
  stop     clean stop; data stay
  kill9    SIGKILL to both, or to the node that is named; "start" brings it back
  status   exit 0 when both run, 3 when not
  env      print HDFS_NAMENODE and HADOOP_CONF_DIR
  clean    stop and delete the data

  --port P      21120, of the name node; P+1..P+4 are its page and the data node
  --dir D       data directory (default: in the cache, by port)
  --version V   of Hadoop: 3.5.0

Cache: SQLSTREAM_CACHE (~/.cache/sqlstream). Needs Java 17, Maven for the first start.
USAGE
}

fail() { echo "hdfs.sh: $*" >&2; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
cache=${SQLSTREAM_CACHE:-$HOME/.cache/sqlstream}
command=${1:-help}
shift || true
nodes='name data'
case ${1:-} in name | data) nodes=$1; shift ;; esac
port=21120 dir='' version=3.5.0
while [ $# -gt 0 ]; do
	case $1 in
	--port | --dir | --version)
		[ $# -ge 2 ] || fail "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	*) fail "unknown argument $1; see hdfs.sh help" ;;
	esac
	shift
done
case $port in '' | *[!0-9]*) fail "--port $port is not a number" ;; esac
case $version in '' | *[!0-9.]*) fail "--version $version is not a version" ;; esac
dir=${dir:-$cache/hdfs-run-$port}
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
jars=$cache/hadoop-jars-$version
jvm="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Djava.net.preferIPv4Stack=true"

main_class() {
	case $1 in
	name) echo org.apache.hadoop.hdfs.server.namenode.NameNode ;;
	data) echo org.apache.hadoop.hdfs.server.datanode.DataNode ;;
	esac
}

# A node's pid, if the process of the pid file is alive and is that node.
pid() {
	local p
	p=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
	ps -p "$p" -o command= 2>/dev/null | grep -qF -- "$dir/conf" || return 1
	echo "$p"
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# True once a data node has registered and safe mode is left: before, files cannot be written.
answers() {
	# shellcheck disable=SC2016
	timeout 5 bash -c '
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
		printf "GET /jmx HTTP/1.0\r\n\r\n" >&3
		page=$(cat <&3)
		[[ $page == *"\"NumLiveDataNodes\" : 1"* && $page == *"\"Safemode\" : \"\""* ]]
	' _ $((port + 1)) 2>/dev/null
}

gone_within() {
	local tenths=$(($2 * 10))
	while pid "$1" >/dev/null; do
		[ $tenths -gt 0 ] || return 1
		tenths=$((tenths - 1))
		sleep 0.1
	done
}

install_jars() {
	[ -f "$jars/.complete" ] && return
	command -v mvn >/dev/null || fail "Maven is needed once, to copy the jars of Hadoop $version"
	local tmp
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/.hadoop.XXXXXX")
	cp "$here/hdfs-pom.xml" "$tmp/pom.xml"
	if ! mvn -q -B -f "$tmp/pom.xml" "-Dhadoop.version=$version" dependency:copy-dependencies "-DoutputDirectory=$tmp/lib" -DincludeScope=runtime >"$tmp/log" 2>&1; then
		tail -n 10 "$tmp/log" >&2
		rm -rf "$tmp"
		fail "Maven could not copy the jars of Hadoop $version"
	fi
	touch "$tmp/lib/.complete"
	rm -rf "$jars"
	mv "$tmp/lib" "$jars"
	rm -rf "$tmp"
}

write_config() {
	local w p
	mkdir -p "$dir/conf"
	# The jars lack the web pages, and no node starts without their folders.
	for w in hdfs datanode; do
		mkdir -p "$dir/conf/webapps/$w/WEB-INF"
		echo '<web-app/>' >"$dir/conf/webapps/$w/WEB-INF/web.xml"
	done
	mkdir -p "$dir/conf/webapps/static"
	properties() {
		echo '<configuration>'
		while [ $# -gt 0 ]; do
			echo "<property><name>$1</name><value>$2</value></property>"
			shift 2
		done
		echo '</configuration>'
	}
	properties fs.defaultFS "hdfs://127.0.0.1:$port" hadoop.tmp.dir "$dir/tmp" >"$dir/conf/core-site.xml"
	p=(dfs.replication 1
		dfs.namenode.rpc-address "127.0.0.1:$port" dfs.namenode.http-address "127.0.0.1:$((port + 1))"
		dfs.datanode.address "127.0.0.1:$((port + 2))" dfs.datanode.http.address "127.0.0.1:$((port + 3))"
		dfs.datanode.ipc.address "127.0.0.1:$((port + 4))" dfs.datanode.hostname 127.0.0.1
		dfs.namenode.name.dir "file://$dir/name" dfs.datanode.data.dir "file://$dir/data"
		dfs.namenode.datanode.registration.ip-hostname-check false
		dfs.namenode.safemode.extension 0 dfs.heartbeat.interval 1 dfs.datanode.synconclose true
		dfs.permissions.superusergroup "$(id -gn)")
	properties "${p[@]}" >"$dir/conf/hdfs-site.xml"
	cat >"$dir/conf/log4j.properties" <<'CONF'
log4j.rootLogger=WARN,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
CONF
}

make() {
	mkdir -p "$dir"
	write_config
	# shellcheck disable=SC2086
	java $jvm -Xmx256m -cp "$dir/conf:$jars/*" "$(main_class name)" -format -nonInteractive >"$dir/format.log" 2>&1 ||
		{ tail -n 5 "$dir/format.log" >&2; fail "the name node could not be formatted"; }
	printf 'port=%s\nversion=%s\n' "$port" "$version" >"$dir/made-with"
}

start_node() {
	pid "$1" >/dev/null && return
	# Its own session: a Ctrl-C at the tests does not reach it. The pid stays through exec.
	(
		cd "$dir"
		# shellcheck disable=SC2086
		exec setsid java $jvm -Xmx384m -cp "$dir/conf:$jars/*" "$(main_class "$1")"
	) </dev/null >>"$dir/$1.log" 2>&1 &
	echo $! >"$dir/$1.pid"
}

start() {
	command -v java >/dev/null || fail "no java in PATH; HDFS needs Java 17"
	install_jars
	[ -f "$dir/made-with" ] || make
	if ! pid name >/dev/null; then
		local i
		# A node just killed may hold its port for a moment.
		for i in 1 2 3 4 5 6 7 8 9 10; do open_port "$port" || break; sleep 0.5; done
		if open_port "$port"; then fail "port $port is taken"; fi
	fi
	local n child end=$((SECONDS + 120))
	for n in name data; do start_node $n; done
	until answers; do
		for n in name data; do
			child=$(cat "$dir/$n.pid")
			kill -0 "$child" 2>/dev/null || { tail -n 10 "$dir/$n.log" >&2; fail "the $n node ended while starting"; }
		done
		[ $SECONDS -lt $end ] || fail "HDFS does not answer; see $dir/*.log"
		sleep 0.3
	done
	echo "hdfs://127.0.0.1:$port"
}

end_with() {
	local n p
	for n in $nodes; do
		p=$(pid "$n") || continue
		kill "-$1" "$p" 2>/dev/null || true
	done
	for n in $nodes; do
		gone_within "$n" 15 && continue
		p=$(pid "$n") || continue
		kill -KILL "$p" 2>/dev/null || true
		gone_within "$n" 5 || fail "the $n node does not end"
	done
}

case $command in
start) start ;;
stop) end_with TERM ;;
kill9) end_with KILL ;;
status) if n=$(pid name) && d=$(pid data); then echo "pids $n and $d, hdfs://127.0.0.1:$port, Hadoop $version"; else echo "not running"; exit 3; fi ;;
env) printf 'HDFS_NAMENODE=hdfs://127.0.0.1:%s\nHADOOP_CONF_DIR=%s\n' "$port" "$dir/conf" ;;
clean)
	end_with TERM
	# Only what this script made.
	if [ -f "$dir/made-with" ]; then rm -rf "$dir"; fi ;;
help | -h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
