# Waits until whoever started it lets go of its standard input or is gone, whichever way that came to
# be. Then ends the PostgreSQL server in the folder $1, even a frozen one, and removes the folder.

read -r _
file=$1/data/postmaster.pid
if [ -e "$file" ]; then
  pid=$(sed -n 1p "$file")
  # By now this may be the number of another process.
  if grep -qsF "$1" "/proc/$pid/cmdline"; then
    kill -STOP "$pid"
    kill -KILL $(cat "/proc/$pid/task/$pid/children") "$pid"
  fi
  # What was killed leaves behind the shared memory that is named there.
  ipcrm --shmem-id "$(sed -n '7s/.* //p' "$file")"
fi
# Who is being killed may still finish a file in between.
rm -rf "$1" 2>/dev/null || rm -rf "$1"
