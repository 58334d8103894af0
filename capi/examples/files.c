/*
 * Files and stickers: a file is sealed in pieces, opened, and read in the middle; a pack of stickers is made and shared by
 * link, and a sticker of it is opened. What a server would keep lies in memory here.
 */
#include "check.h"

/* ---- What an app has files, sockets and a server for */

/* Bytes that grow: a file on the disk, or what a server keeps. */
struct file {
  uint8_t bytes[70000];
  size_t len;
};

static void append(struct file *file, const uint8_t *bytes, size_t len) {
  REQUIRE(len <= sizeof file->bytes - file->len);
  memcpy(file->bytes + file->len, bytes, len);
  file->len += len;
}

/* What a reader asks for. */
static int32_t read_file(void *context, uint64_t offset, uint8_t *out, size_t len) {
  const struct file *file = context;
  if (offset > file->len || len > file->len - offset) return -1;
  memcpy(out, file->bytes + offset, len);
  return 0;
}

/* An app passes NULL for the system's generator, unless its library was built without it. */
static int32_t fill(void *context, uint8_t *out, size_t len) {
  return fread(out, 1, len, (FILE *)context) == len ? 0 : -1;
}

/* ---- Sealing and opening, in pieces of the length that comes */

/* All of a text, as it would come from a camera or a disk. */
static void seal(subrosa_sealer *sealer, const uint8_t *text, size_t len, struct file *to) {
  uint8_t sealed[SUBROSA_SEAL_ROOM];
  while (len > 0) {
    size_t taken, room = sizeof sealed;
    CHECK(subrosa_sealer_push(sealer, text, len < 5000 ? len : 5000, &taken, sealed, &room));
    append(to, sealed, room);
    text += taken;
    len -= taken;
  }
  for (size_t room = 1; room > 0;) {
    room = sizeof sealed;
    CHECK(subrosa_sealer_finish(sealer, sealed, &room));
    append(to, sealed, room);
  }
}

/* All of what was sealed. Only if this succeeds was it whole. */
static void unseal(subrosa_opener *opener, const struct file *from, struct file *to) {
  uint8_t text[SUBROSA_OPEN_ROOM];
  size_t room;
  for (size_t at = 0, taken; at < from->len; at += taken) {
    room = sizeof text;
    CHECK(subrosa_opener_push(opener, from->bytes + at, from->len - at, &taken, text, &room));
    append(to, text, room);
  }
  room = sizeof text;
  CHECK(subrosa_opener_finish(opener, text, &room));
  append(to, text, room);
}

/* ---- A file of this device */

static void a_file(const subrosa_rng *rng) {
  static uint8_t film[60000];
  static struct file sealed, opened;
  const uint8_t context[] = "films";
  uint8_t key[SUBROSA_FILE_KEY];
  for (size_t i = 0; i < sizeof film; i++) film[i] = (uint8_t)(i * i >> 8);

  subrosa_sealer *sealer;
  CHECK(subrosa_sealer_file(context, sizeof context, rng, &sealer, key));
  seal(sealer, film, sizeof film, &sealed);
  CHECK(subrosa_sealer_free(sealer));

  subrosa_opener *opener;
  CHECK(subrosa_opener_file(key, context, sizeof context, &opener));
  unseal(opener, &sealed, &opened);
  CHECK(subrosa_opener_free(opener));
  REQUIRE(opened.len == sizeof film && memcmp(opened.bytes, film, sizeof film) == 0);

  /* A scene in the middle: what it takes of the file is read, and nothing else. */
  const subrosa_source source = {.struct_size = sizeof source, .context = &sealed, .read = read_file};
  subrosa_reader *reader;
  uint8_t scene[4096];
  size_t len = sizeof scene;
  uint64_t end;
  CHECK(subrosa_reader_open(&source, sealed.len, key, context, sizeof context, &reader));
  CHECK(subrosa_reader_read(reader, 31000, scene, &len));
  REQUIRE(len == sizeof scene && memcmp(scene, film + 31000, len) == 0);
  CHECK(subrosa_reader_len(reader, &end));
  REQUIRE(end == sizeof film);
  CHECK(subrosa_reader_free(reader));
  printf("%zu bytes sealed, opened, and read at 31000\n", sizeof film);
}

/* ---- A pack of one sticker */

static struct file server_blob, server_manifest;
static uint8_t server_blob_id[SUBROSA_BLOB_ID], server_pack_id[SUBROSA_PACK_ID];

/* What the author does; `link` goes to friends. */
static size_t make_pack(const subrosa_rng *rng, uint8_t *link, size_t room) {
  static uint8_t manifest[SUBROSA_MANIFEST_MAX];
  const uint8_t owl[] = "as WebP: an owl", type[] = "image/webp", address[] = "https://example.org/pack";
  subrosa_sealer *sealer;
  subrosa_blob *blob;
  CHECK(subrosa_sealer_blob(type, sizeof type - 1, NULL, 0, rng, &sealer));
  seal(sealer, owl, sizeof owl, &server_blob);
  CHECK(subrosa_sealer_result(sealer, &blob));
  CHECK(subrosa_sealer_free(sealer));
  CHECK(subrosa_blob_id(blob, server_blob_id, NULL));

  /* `author` is kept in secret, `held` beside it: whoever has both makes the next version. */
  uint8_t author[SUBROSA_AUTHOR], held[SUBROSA_HELD];
  const subrosa_bytes emoji[] = {{(const uint8_t *)"\xf0\x9f\xa6\x89", 4}, {(const uint8_t *)"\xf0\x9f\x8c\x99", 4}};
  const subrosa_sticker sticker = {.blob = blob, .emoji = emoji, .count = 2};
  const subrosa_contents contents = {.struct_size = sizeof contents,
                                     .title = {(const uint8_t *)"Owls", 4},
                                     .name = {(const uint8_t *)"Bob", 3},
                                     .stickers = &sticker,
                                     .count = 1};
  size_t len = sizeof manifest;
  CHECK(subrosa_pack_create(rng, author));
  CHECK(subrosa_pack_publish(author, NULL, 0, &contents, rng, manifest, &len, held));
  append(&server_manifest, manifest, len);
  CHECK(subrosa_blob_free(blob));

  CHECK(subrosa_pack_link(author, address, sizeof address - 1, link, &room));
  CHECK(subrosa_pack_find(link, room, server_pack_id, NULL));
  return room;
}

/* What a friend does, who was given the link. */
static void open_sticker(const uint8_t *link, size_t link_len) {
  uint8_t pack_id[SUBROSA_PACK_ID], id[SUBROSA_BLOB_ID], held[SUBROSA_HELD];
  CHECK(subrosa_pack_find(link, link_len, pack_id, NULL));
  REQUIRE(memcmp(pack_id, server_pack_id, sizeof pack_id) == 0);

  /* `held` is kept beside the link: from now on no older version is taken. */
  subrosa_pack *pack;
  subrosa_pack_info info = {.struct_size = sizeof info};
  CHECK(subrosa_pack_open(link, link_len, server_manifest.bytes, server_manifest.len, NULL, &pack, held));
  CHECK(subrosa_pack_read(pack, &info));
  REQUIRE(info.version == 1 && info.stickers == 1);

  /* The app says what it takes before it learns where that is. */
  const subrosa_bytes pictures = {(const uint8_t *)"image/", 6};
  subrosa_blob *blob;
  subrosa_bytes emoji;
  size_t count;
  CHECK(subrosa_pack_sticker(pack, 0, &count, &blob));
  CHECK(subrosa_pack_emoji(pack, 0, count - 1, &emoji));
  EXPECT(SUBROSA_ERROR_FILE_NOT_ADMITTED, subrosa_blob_id(blob, id, NULL));
  CHECK(subrosa_blob_admit(blob, 512 * 1024, &pictures, 1));
  CHECK(subrosa_blob_id(blob, id, NULL));
  REQUIRE(memcmp(id, server_blob_id, sizeof id) == 0);

  static struct file opened;
  subrosa_opener *opener;
  CHECK(subrosa_opener_blob(blob, &opener));
  unseal(opener, &server_blob, &opened);
  CHECK(subrosa_opener_free(opener));
  printf("%.*s: %.*s %s\n", (int)info.title.len, (const char *)info.title.data, (int)emoji.len,
         (const char *)emoji.data, (const char *)opened.bytes);
  REQUIRE(opened.len == 16);

  /* To send it, a message carries the descriptor: this sticker, and nothing of the pack. */
  uint8_t descriptor[SUBROSA_DESCRIPTOR_MAX];
  size_t len = sizeof descriptor;
  CHECK(subrosa_blob_descriptor(blob, NULL, descriptor, &len));
  CHECK(subrosa_blob_free(blob));
  CHECK(subrosa_blob_parse(descriptor, len, &blob));
  CHECK(subrosa_blob_free(blob));
  CHECK(subrosa_pack_free(pack));
}

int main(void) {
  FILE *random = fopen("/dev/urandom", "rb");
  REQUIRE(random != NULL);
  const subrosa_rng rng = {.struct_size = sizeof rng, .context = random, .fill = fill};
  uint8_t link[200];
  a_file(&rng);
  open_sticker(link, make_pack(&rng, link, sizeof link));
  fclose(random);
}
