# Clears up after a test process, however that ended (also by SIGKILL): reads
# orders line by line, and acts on them when its standard input closes.
#   pid N / gone N     a process to kill, or one that has ended by itself
#   folder PATH        a folder to remove
#   container ID       a container to remove
# shellcheck disable=SC2086 # numbers, and paths without spaces, split into words
trap '' INT TERM HUP
pids=' '
folders=''
containers=''
while read -r order what; do
    case $order in
    pid) pids="$pids$what " ;;
    gone) pids="${pids%% "$what" *} ${pids#* "$what" }" ;;
    folder) folders="$folders $what" ;;
    container) containers="$containers $what" ;;
    esac
done
[ "$pids" = ' ' ] || kill -9 $pids
[ -z "$containers" ] || docker rm -f -v $containers
[ -z "$folders" ] || rm -rf $folders
