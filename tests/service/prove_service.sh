# Run by systemd in nested_systemd.sh: installs the cell as a service, hangs it, kills it, removes it.
set -eEuxo pipefail
SITE=@SITE@
CELL=@CELL@
trap 'systemctl status --no-pager -l millhand-casting-cell.service; journalctl --no-pager -n 40' ERR
cd /
millhand() { /opt/millhand/bin/python -P -m millhand.cli "$@"; }
say() { echo "$@" >> /out/facts; }
ask() { systemctl show millhand-casting-cell.service --property="$1" --value; }
wait_until() { # at most 60 s for: KEY is VALUE
    for _ in $(seq 600); do
        [ "$(ask "$1")" = "$2" ] && return 0
        sleep 0.1
    done
    echo "$1 is $(ask "$1"), not $2"
    systemctl status --no-pager millhand-casting-cell.service || true
    return 1
}
useradd --system --home-dir / --shell /usr/sbin/nologin millhand
/usr/bin/python3 -m venv --without-pip /opt/millhand
(cd /opt/millhand/lib/python3.*/site-packages && echo "import site; site.addsitedir('$SITE')" > here.pth)
cp -r "$CELL" /srv/cell
millhand service install /srv/cell
say active "$(ask ActiveState)"
pid=$(ask MainPID)
say user "$(ps -o user:20= -p "$pid")"
say capabilities "$(grep CapEff /proc/"$pid"/status | cut -f2)"
say new_privileges "$(grep NoNewPrivs /proc/"$pid"/status | cut -f2)"
say status "$(millhand service status casting-cell --json | tr -d '\n')"
say exposure "$(systemd-analyze security --no-pager millhand-casting-cell.service | tail -1)"
kill -STOP "$pid"
wait_until NRestarts 1
wait_until ActiveState active
say after_hang "$(ask ActiveState)"
kill -KILL "$(ask MainPID)"
wait_until NRestarts 2
wait_until ActiveState active
say after_kill "$(ask ActiveState)"
systemctl stop millhand-casting-cell.service
say stopped "$(ask Result)"
say verified "$(millhand journal verify --at /var/lib/millhand/casting-cell > /out/verify.log 2>&1 && echo yes || echo no)"
millhand service uninstall casting-cell
say left "$(ls /etc/systemd/system | grep -c millhand || true)"
say done yes
