#!/bin/sh
# Makes the cluster at the first start, then becomes the server.
#
#   POSTGRES_PASSWORD          the superuser's password; or POSTGRES_PASSWORD_FILE, a file that holds it
#   POSTGRES_USER              the superuser, `postgres` where absent
#   POSTGRES_DB                a database to make, named as the superuser where absent
#   POSTGRES_HOST_AUTH_METHOD  how clients prove who they are, `scram-sha-256` where absent; `trust` needs no password
#   POSTGRES_INITDB_ARGS       further arguments of initdb, parted by blanks
#   PGDATA                     where the cluster is, below the volume /var/lib/postgresql
#
# Arguments that begin with `-` are the server's; anything else is run as it is. A cluster appears under PGDATA only once it is
# whole: what an interrupted first start left behind is thrown away by the next.
set -eu
umask 077

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# The password, from the variable or from the file that the other one names.
password() {
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        [ -z "${POSTGRES_PASSWORD:-}" ] || fail 'both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set: set one'
        cat -- "$POSTGRES_PASSWORD_FILE" || fail 'POSTGRES_PASSWORD_FILE cannot be read'
    else
        printf '%s' "${POSTGRES_PASSWORD:-}"
    fi
}

make_cluster() {
    password=$(password)
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        fail 'this is the first start, and there is no password for the superuser: set POSTGRES_PASSWORD or
POSTGRES_PASSWORD_FILE, or let everyone in who reaches the port with POSTGRES_HOST_AUTH_METHOD=trust'
    fi
    above=$(dirname -- "$PGDATA")
    { mkdir -p -- "$above" && [ -w "$above" ]; } ||
        fail "user $(id -u) cannot write \`$above\`: give the volume to that user"
    # A mount point is not removed, and what is not empty is somebody's.
    [ ! -d "$PGDATA" ] || rmdir -- "$PGDATA" 2>/dev/null ||
        fail "\`$PGDATA\` is no cluster, but is not empty or is a mount point: mount the volume at \`$above\`"
    new=$PGDATA.new
    rm -rf -- "$new"

    set -- --pgdata="$new" --username="$user" --auth-local=trust --auth-host="$method" --encoding=UTF8 --data-checksums \
        --set=listen_addresses='*'
    # shellcheck disable=SC2086 # blanks part the arguments
    if [ -n "$password" ]; then
        printf '%s\n' "$password" | initdb "$@" --pwfile=/dev/stdin ${POSTGRES_INITDB_ARGS:-}
    else
        initdb "$@" ${POSTGRES_INITDB_ARGS:-}
    fi
    printf '\n# From other hosts.\nhost all all all %s\n' "$method" >>"$new/pg_hba.conf"

    if [ "$database" != postgres ]; then
        # On a socket that nobody else knows of, until the database is there.
        PGDATA=$new pg_ctl --silent --wait --options="-c listen_addresses='' -c unix_socket_directories='$new'" start
        printf 'create database :"name";\n' |
            psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=name="$database" --host="$new" --username="$user" postgres ||
            { PGDATA=$new pg_ctl --silent --mode=immediate stop; fail "cannot make the database \`$database\`"; }
        PGDATA=$new pg_ctl --silent --wait --mode=fast stop
    fi
    sync
    mv -T -- "$new" "$PGDATA"
}

case ${1:-} in
    '' | -*) set -- postgres "$@" ;;
esac
if [ "$1" = postgres ]; then
    [ "$(id -u)" != 0 ] || fail 'PostgreSQL does not run as root: leave the user to the image, or name another'
    [ -s "$PGDATA/PG_VERSION" ] || make_cluster
    unset POSTGRES_PASSWORD
fi
exec "$@"
