package install

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
)

// object is what is at a path: a regular file, a symbolic link, or nothing.
type object struct {
	// mode is the mode of a regular file, and otherwise 0.
	mode fs.FileMode
	// link is the target of a symbolic link.
	link    string
	content []byte
	// owner is the owner of a regular file. nil means the user that runs install.
	owner *owner
}

// owner is a user and a group.
type owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// maxObject limits the size of a file that is kept or copied. Programs are the largest.
const maxObject = 256 << 20

func (o object) absent() bool { return o.mode == 0 && o.link == "" }

// fingerprint identifies the object. Two objects with the same fingerprint are equal,
// except that their owners may differ.
func (o object) fingerprint() string {
	switch {
	case o.absent():
		return "absent"
	case o.link != "":
		return "link " + o.link
	}
	return fmt.Sprintf("%04o %x", o.mode, sha256.Sum256(o.content))
}

// user returns the user ID of a regular file's owner. It is -1 on Windows, which has no
// such IDs.
func (o object) user() int {
	if o.owner == nil {
		return os.Geteuid()
	}
	return o.owner.UID
}

// read returns the object at a path of the disk.
func (d disk) read(path string) (object, error) {
	if err := d.inside(path); err != nil {
		return object{}, err
	}
	info, err := os.Lstat(d.at(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return object{}, nil
	case err != nil:
		return object{}, err
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(d.at(path))
		return object{link: link}, err
	case !info.Mode().IsRegular():
		return object{}, fmt.Errorf("%s is not a regular file; move it away", d.at(path))
	case info.Mode().Perm() == 0:
		return object{}, fmt.Errorf("%s has the mode 0000; give it another", d.at(path))
	}
	content, err := readFile(d.at(path))
	return object{mode: info.Mode().Perm(), content: content, owner: ownerOf(info)}, err
}

// readFile reads a regular file.
func readFile(path string) ([]byte, error) { return boundedfile.Read(path, maxObject) }
