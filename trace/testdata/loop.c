/* Calls that have nothing to do with sockets, for BenchmarkOtherCalls.
   usage: loop CALLS: so many of getppid and of reads from a file; it prints what one of each
   takes, in nanoseconds */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int calls = atoi(argv[1]), file = open("/dev/zero", O_RDONLY);
	char byte;
	double began = now(), middle;
	for (int i = 0; i < calls; i++)
		syscall(SYS_getppid);
	middle = now();
	for (int i = 0; i < calls; i++)
		if (read(file, &byte, 1) != 1)
			return 1;
	printf("%f %f\n", (middle - began) / calls, (now() - middle) / calls);
	return 0;
}
