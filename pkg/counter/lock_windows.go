package counter

import (
	"errors"
	"os"
)

const openFlags = 0

// takeLock fails: there is no cache on Windows.
func takeLock(*os.Root) (unlock func(), err error) {
	return nil, errors.New("there is no cache on Windows")
}
