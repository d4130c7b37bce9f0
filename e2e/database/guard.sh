# Waits until its parent closes this standard input or ends, in whatever way. Then kills the PostgreSQL
# server in the folder $1, also a frozen one, and removes the folder.

read -r _
file=$1/data/postmaster.pid
if [ -e "$file" ]; then
  pid=$(sed -n 1p "$file")
  # Another process may have this id by now.
  if grep -qsF "$1" "/proc/$pid/cmdline"; then
    kill -STOP "$pid"
    kill -KILL $(cat "/proc/$pid/task/$pid/children") "$pid"
  fi
  # A killed server leaves its shared memory behind. The seventh line names it.
  ipcrm --shmem-id "$(sed -n '7s/.* //p' "$file")"
fi
# A process that is being killed may create one more file meanwhile.
rm -rf "$1" 2>/dev/null || rm -rf "$1"
