// Bytes that wait because the system takes no more of them for a peer. Small pieces are copied into
// blocks: a piece that waits by itself costs many times its bytes. A large piece waits without a copy.

import { isOwn } from "../../protocol/owned.ts";

/** A queue of bytes. */
export class UnsentBytes {
  #blocks: Buffer[] = [];
  #head = 0; // The index of the first block in #blocks that was not taken.
  #tail: Buffer | null = null; // The block that further bytes are copied into, after all others.
  #tailEnd = 0;
  #tailBytes = 0; // The size of the last tail.
  #bytes = 0;

  /** The memory that the bytes take, in bytes. */
  get heldBytes(): number {
    const room = this.#tail ? this.#tail.length - this.#tailEnd : 0;
    return this.#bytes + room + BLOCK_OVERHEAD_BYTES * (this.#blocks.length - this.#head);
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Adds these pieces. A large piece must not be changed later. */
  push(pieces: Buffer[]) {
    for (const piece of pieces) {
      this.#bytes += piece.length;
      if (piece.length >= UNCOPIED_BYTES_MIN && isOwn(piece)) {
        this.#closeTail();
        this.#blocks.push(piece);
      } else this.#copy(piece);
    }
  }

  /** Takes the first bytes: at most `bytesMax`, in one or more pieces. */
  take(bytesMax: number): Buffer[] {
    const taken: Buffer[] = [];
    for (let left = bytesMax; left > 0 && !this.isEmpty; ) {
      if (this.#head === this.#blocks.length) this.#closeTail();
      const block = this.#blocks[this.#head] as Buffer;
      const piece = block.subarray(0, left);
      if (piece.length < block.length) this.#blocks[this.#head] = block.subarray(left);
      else this.#dropFirst();
      taken.push(piece);
      left -= piece.length;
      this.#bytes -= piece.length;
    }
    return taken;
  }

  #copy(piece: Buffer) {
    for (let at = 0; at < piece.length; ) {
      if (this.#tail?.length === this.#tailEnd) this.#closeTail();
      this.#tail ??= this.#newTail();
      const copied = piece.copy(this.#tail, this.#tailEnd, at);
      this.#tailEnd += copied;
      at += copied;
    }
  }

  #newTail(): Buffer {
    const doubled = Math.min(2 * this.#tailBytes, TAIL_BYTES_MAX);
    this.#tailBytes = Math.max(doubled, TAIL_BYTES_MIN);
    this.#tailEnd = 0;
    return Buffer.allocUnsafeSlow(this.#tailBytes);
  }

  #closeTail() {
    if (this.#tail) this.#blocks.push(this.#tail.subarray(0, this.#tailEnd));
    this.#tail = null;
  }

  #dropFirst() {
    this.#head += 1;
    if (this.#head < this.#blocks.length / 2) return;
    this.#blocks = this.#blocks.slice(this.#head);
    this.#head = 0;
    if (this.#blocks.length === 0 && !this.#tail) this.#tailBytes = 0;
  }
}

/** A smaller piece is copied. */
const UNCOPIED_BYTES_MIN = 2 ** 15;

const TAIL_BYTES_MIN = 2 ** 10;
const TAIL_BYTES_MAX = 2 ** 16;

/** The memory of a block beyond its bytes. */
const BLOCK_OVERHEAD_BYTES = 256;
