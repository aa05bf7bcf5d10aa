# Sourced by the references' start.sh: fetch a Java server with Maven, start it,
# stop it. The caller sets name, here (its folder, with pom.xml) and home (where
# jars, log and pid go), and defines launch PORT, which execs java with "$jars".

jars=$home/jars
pidfile=$home/pid
log=$home/log

fetch() {
	if cmp -s "$here/pom.xml" "$jars/pom.xml"; then
		return
	fi
	rm -rf "$jars"
	mkdir -p "$jars"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars" >&2
	cp "$here/pom.xml" "$jars/pom.xml" # last: it marks the folder as complete
}

running() {
	[ -f "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null
}

start() {
	mkdir -p "$home"
	if running; then
		echo "$name runs already (process $(cat "$pidfile")): $0 stop" >&2
		exit 1
	fi
	fetch
	launch "$1" >"$log" 2>&1 &
	echo $! >"$pidfile"
	i=0
	until curl -s -o /dev/null "http://127.0.0.1:$1/"; do
		i=$((i + 1))
		if [ $i -gt 150 ] || ! running; then
			echo "$name did not start; its log:" >&2
			cat "$log" >&2
			exit 1
		fi
		sleep 0.2
	done
	echo "http://127.0.0.1:$1"
}

stop() {
	if running; then
		kill "$(cat "$pidfile")"
	fi
	rm -f "$pidfile"
}

case ${1:-} in
start) start "${2:?which port? $0 start PORT}" ;;
stop) stop ;;
jars) fetch && echo "$jars" ;;
*)
	echo "usage: $0 start PORT | stop | jars" >&2
	exit 2
	;;
esac
