/**
 * @param {{family: string, source: string, descriptors: FontFaceDescriptors}[]} fonts with data: URLs as their source
 * @returns {Promise<void>} settled when all are loaded or have failed to
 */
export async function loadFonts(fonts) {
  const faces = fonts.map(({ family, source, descriptors }) => new FontFace(family, source, descriptors));
  for (const face of faces) document.fonts.add(face);
  await Promise.allSettled(faces.map((face) => face.load()));
}
