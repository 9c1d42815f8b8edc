package symbol

import "golang.org/x/sys/unix"

// O_TMPFILE and O_SYNC are more bits than one.
const (
	OnlyTmpfile = unix.O_TMPFILE &^ unix.O_DIRECTORY
	onlySync    = unix.O_SYNC &^ unix.O_DSYNC
	largeFile   = unix.O_DIRECT << 1 // it is zero in the headers of C
)

// FcntlCommands are the commands of fcntl.
var FcntlCommands = Table{
	{0, "F_DUPFD"}, {1, "F_GETFD"}, {2, "F_SETFD"}, {3, "F_GETFL"}, {4, "F_SETFL"},
	{5, "F_GETLK"}, {6, "F_SETLK"}, {7, "F_SETLKW"}, {8, "F_SETOWN"},
	{9, "F_GETOWN"}, {10, "F_SETSIG"}, {11, "F_GETSIG"}, {12, "F_GETLK64"},
	{13, "F_SETLK64"}, {14, "F_SETLKW64"}, {15, "F_SETOWN_EX"},
	{16, "F_GETOWN_EX"}, {17, "F_GETOWNER_UIDS"}, {36, "F_OFD_GETLK"},
	{37, "F_OFD_SETLK"}, {38, "F_OFD_SETLKW"}, {1024, "F_SETLEASE"},
	{1025, "F_GETLEASE"}, {1026, "F_NOTIFY"}, {1029, "F_CANCELLK"},
	{1030, "F_DUPFD_CLOEXEC"}, {1031, "F_SETPIPE_SZ"}, {1032, "F_GETPIPE_SZ"},
	{1033, "F_ADD_SEALS"}, {1034, "F_GET_SEALS"},
}

// DescriptorFlags are those of F_GETFD and F_SETFD.
var DescriptorFlags = Table{{1, "FD_CLOEXEC"}}

// Locks are the kinds of locks and leases.
var Locks = Table{{0, "F_RDLCK"}, {1, "F_WRLCK"}, {2, "F_UNLCK"}, {4, "F_EXLCK"}, {8, "F_SHLCK"}}

// Whences are from where a lock counts.
var Whences = Table{{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}}

// Notifications are those of F_NOTIFY.
var Notifications = Table{
	{1, "DN_ACCESS"}, {2, "DN_MODIFY"}, {4, "DN_CREATE"}, {8, "DN_DELETE"}, {0x10, "DN_RENAME"},
	{0x20, "DN_ATTRIB"}, {0x80000000, "DN_MULTISHOT"},
}

// Seals are those of a file in memory.
var Seals = Table{
	{1, "F_SEAL_SEAL"}, {2, "F_SEAL_SHRINK"}, {4, "F_SEAL_GROW"}, {8, "F_SEAL_WRITE"},
	{0x10, "F_SEAL_FUTURE_WRITE"},
}

// CloseRangeFlags are those of close_range.
var CloseRangeFlags = Table{{2, "CLOSE_RANGE_UNSHARE"}, {4, "CLOSE_RANGE_CLOEXEC"}}

// EventFlags are those of eventfd2.
var EventFlags = Table{{1, "EFD_SEMAPHORE"}, {unix.O_CLOEXEC, "EFD_CLOEXEC"}, {unix.O_NONBLOCK, "EFD_NONBLOCK"}}

// Owners are who gets the signals of a descriptor.
var Owners = Table{{0, "F_OWNER_TID"}, {1, "F_OWNER_PID"}, {2, "F_OWNER_PGRP"}}

// OpenFlags are those of open but how the file is accessed: AccessModes.
var OpenFlags = Table{
	{unix.O_CREAT, "O_CREAT"}, {unix.O_EXCL, "O_EXCL"}, {unix.O_NOCTTY, "O_NOCTTY"},
	{unix.O_TRUNC, "O_TRUNC"}, {unix.O_APPEND, "O_APPEND"}, {unix.O_NONBLOCK, "O_NONBLOCK"},
	{unix.O_SYNC, "O_SYNC"}, {onlySync, "__O_SYNC"}, {unix.O_DSYNC, "O_DSYNC"},
	{unix.O_DIRECT, "O_DIRECT"}, {largeFile, "O_LARGEFILE"}, {unix.O_NOFOLLOW, "O_NOFOLLOW"},
	{unix.O_NOATIME, "O_NOATIME"}, {unix.O_CLOEXEC, "O_CLOEXEC"}, {unix.O_PATH, "O_PATH"},
	{unix.O_TMPFILE, "O_TMPFILE"}, {OnlyTmpfile, "__O_TMPFILE"}, {unix.O_DIRECTORY, "O_DIRECTORY"},
	{0x2000, "FASYNC"},
}

// AccessModes are the lowest two bits of the flags of open.
var AccessModes = Table{{0, "O_RDONLY"}, {1, "O_WRONLY"}, {2, "O_RDWR"}, {3, "O_ACCMODE"}}

// ResolveFlags are those of openat2.
var ResolveFlags = Table{
	{1, "RESOLVE_NO_XDEV"}, {2, "RESOLVE_NO_MAGICLINKS"}, {4, "RESOLVE_NO_SYMLINKS"},
	{8, "RESOLVE_BENEATH"}, {0x10, "RESOLVE_IN_ROOT"}, {0x20, "RESOLVE_CACHED"},
}
