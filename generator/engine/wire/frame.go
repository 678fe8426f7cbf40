// Package wire serves framed JSON requests on a stream. The engine and the policy engine speak by it.
package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxFrameBytes bounds one message, so that a broken peer cannot make us allocate without end. Only tests change it.
var maxFrameBytes = 256 << 20

// ReadFrame reads one message: four bytes of big-endian length, then that many bytes of JSON.
// It returns io.EOF only when the stream ends between two messages.
func ReadFrame(r io.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header[:])
	if uint64(length) > uint64(maxFrameBytes) {
		return nil, fmt.Errorf("a message of %d bytes is over the limit of %d", length, maxFrameBytes)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("the message ends early: %w", err)
	}
	return body, nil
}

func WriteFrame(w io.Writer, body []byte) error {
	if len(body) > maxFrameBytes {
		return fmt.Errorf("an answer of %d bytes is over the limit of %d", len(body), maxFrameBytes)
	}
	frame := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	_, err := w.Write(append(frame, body...))
	return err
}
