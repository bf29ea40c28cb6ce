/* Go's runtime gets its random numbers from ProcessPrng of Windows 10. Wine 8 does
   not have that function. Here SystemFunction036 of advapi32 replaces it. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
	return SystemFunction036(data, (ULONG)length);
}
