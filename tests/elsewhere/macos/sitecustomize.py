"""Take from a Linux what macOS has not, in every process that has this folder in its PYTHONPATH.

What is left is no macOS, but code that asks for what only Linux has fails as it does there. Names are those
that typeshed has not where ``sys.platform`` is "darwin". 127.0.0.1 is the one address of the loopback
interface, but where ``MACOS_HAS_ALIASES`` is set.
"""

import _socket
import ctypes
import errno
import io
import os
import platform
import select
import selectors  # noqa: F401 - libraries keep the epoll that they have
import signal
import socket
import sys
import sysconfig
import time
from pathlib import Path
from types import ModuleType

import trio  # noqa: F401 - which has kqueue there

_LACKING = {
    os: ("eventfd", "EFD_", "epoll", "sched_", "SCHED_", "pipe2", "memfd_create", "getrandom", "pidfd_open"),
    signal: ("SIGRT", "SIGPWR", "SIGSTKFLT", "SIGPOLL", "sigtimedwait", "sigwaitinfo"),
    socket: (
        "SO_BINDTODEVICE",
        "SO_MARK",
        "SO_DOMAIN",
        "SO_PROTOCOL",
        "SO_PASS",
        "SO_PEERCRED",
        "AF_NETLINK",
    ),
    time: ("CLOCK_BOOTTIME", "CLOCK_TAI", "pthread_getcpuclockid"),
}
_LIBRARY = ("prctl", "timerfd_create", "timerfd_settime", "recvmmsg", "sendmmsg", "epoll_create1")
_LINUX_OPTIONS = (32, 33, 55)  # SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_MEMINFO

for module, beginnings in _LACKING.items():
    for name in [one for one in vars(module) if one.startswith(beginnings)]:
        delattr(module, name)


class _Library(ctypes.CDLL):
    def __getattr__(self, name):
        if name in _LIBRARY:
            raise AttributeError(f"dlsym(RTLD_DEFAULT, {name}): symbol not found")
        return super().__getattr__(name)


def _bind(self, address):
    host = address[0] if isinstance(address, tuple) else ""
    if host.startswith("127.") and host != "127.0.0.1" and "MACOS_HAS_ALIASES" not in os.environ:
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return _socket.socket.bind(self, address)


def _without_linux_options(method):
    def call(self, level, option, *value):
        if level == socket.SOL_SOCKET and option in _LINUX_OPTIONS:
            raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        return method(self, level, option, *value)

    return call


def _open(path, *args, **kwargs):
    if not isinstance(path, int) and os.fsdecode(path).startswith("/proc"):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return open(path, *args, **kwargs)


def _exists(path, **kwargs):
    return not str(path).startswith("/proc") and path_exists(path, **kwargs)


selecting = ModuleType("select")
selecting.__dict__.update({name: value for name, value in vars(select).items() if "poll" not in name.lower()})
selecting.__dict__.update(poll=select.poll, POLLIN=select.POLLIN, POLLOUT=select.POLLOUT)
sys.modules["select"] = selecting
ctypes.CDLL = _Library
socket.socket.bind = _bind
socket.socket.setsockopt = _without_linux_options(_socket.socket.setsockopt)
socket.socket.getsockopt = _without_linux_options(_socket.socket.getsockopt)
io.open = _open
path_exists, Path.exists = Path.exists, _exists
path_is_dir, Path.is_dir = Path.is_dir, lambda path: _exists(path) and path_is_dir(path)
sysconfig.get_config_vars()  # from a file whose name has the platform in it
sys.platform = "darwin"
platform.system = lambda: "Darwin"
platform.mac_ver = lambda *_: ("14.0", ("", "", ""), platform.machine())
proxies = sys.modules["_scproxy"] = ModuleType("_scproxy")  # what urllib asks there
proxies.__dict__.update(_get_proxies=dict, _get_proxy_settings=lambda: {"exclude_simple": True})
