#!/usr/bin/env bash
# Lay out the files of a stand-in for the official postgres image in folder
# $2: this machine's PostgreSQL, whose programs are in folder $1, with the
# libraries that it needs.
set -euo pipefail

bin="$1"
root="$2"
version="$(basename "$(dirname "$bin")")"
home="/usr/lib/postgresql/$version"
mkdir -p "$root$home/bin" "$root$home/lib" "$root/usr/share/postgresql" \
  "$root/usr/local/bin"
for program in postgres initdb pg_isready psql pg_ctl; do
  cp "$bin/$program" "$root$home/bin/"
done
cp "$home"/lib/*.so "$root$home/lib/"
rm -f "$root$home"/lib/llvmjit*.so
cp -r "/usr/share/postgresql/$version" "$root/usr/share/postgresql/"
cp "$(dirname "${BASH_SOURCE[0]}")/postgres.sh" "$root/usr/local/bin/entry.sh"
ldd "$bin/postgres" "$bin/psql" | awk '$3 ~ /^\// { print $3 }' |
  sort -u | while read -r library; do
  case "$library" in
  # Those of the C library belong to the base.
  */libc.so.* | */libm.so.* | */libpthread.so.* | */ld-linux*) continue ;;
  esac
  mkdir -p "$root/opt/lib"
  cp -L "$library" "$root/opt/lib/"
done
cat >"$root/Dockerfile" <<TEXT
FROM ${3:-python:3.11-slim-bookworm}
COPY usr /usr
COPY opt /opt
RUN echo 'postgres:x:999:999::/var/lib/postgresql:/bin/sh' >>/etc/passwd \\
 && echo 'postgres:x:999:' >>/etc/group \\
 && install -d -m 1777 -o 999 -g 999 /var/lib/postgresql/data
ENV PATH=$home/bin:\$PATH LD_LIBRARY_PATH=/opt/lib PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/entry.sh"]
TEXT
